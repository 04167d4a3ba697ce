#include "harness/store/record_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/store/migration.hpp"
#include "harness/store/record_merge.hpp"
#include "harness/store/record_rows.hpp"
#include "harness/store/row_checksum.hpp"
#include "harness/store/schema.hpp"
#include "harness/store/sqlite.hpp"
#include "harness/store/store_lock.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

// How long a reader waits for a writer that is just creating the store.
constexpr std::chrono::milliseconds kCreationWait{5000};

/// Messages come from compilers and drivers and may hold anything.
std::string to_utf8(const std::string& text) {
  return Json::parse(stored_text(text)).get<std::string>();
}

void make_folder(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error || !fs::is_directory(root))
    throw UserError(fmt::format("cannot create the folder {}: {}; give another with --store",
                                root.string(), error ? error.message() : "it is a file"));
}

/// Creates the tables when they are missing, or brings them to the present schema. The caller holds
/// the lock.
void bring_up_to_date(const fs::path& file) {
  sqlite::Database database(file, sqlite::Database::Mode::read_write_create);
  const int version = schema_version(database);  // before anything is changed
  if (const std::string mode = database.text("PRAGMA journal_mode = WAL"); mode != "wal")
    throw UserError(fmt::format(
        "cannot use {}: its file system has no shared memory for a write-ahead log (journal mode "
        "{}); give a folder on a local disk with --store",
        file.string(), mode));
  if (version == 0) {
    sqlite::Transaction transaction(database);
    create_tables(database);
    transaction.commit();
  } else if (version < kSchemaVersion) {
    migrate_from_version_1(database);
  }
}

bool is_up_to_date(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) == 0 || error) return false;
  sqlite::Database database(file, sqlite::Database::Mode::read_only);
  return schema_version(database) == kSchemaVersion;
}

/// For a reader: another process may be creating the store at this moment.
void bring_up_to_date_or_wait(const fs::path& root, const fs::path& file) {
  const auto deadline = std::chrono::steady_clock::now() + kCreationWait;
  while (!is_up_to_date(file)) {
    std::string holder;
    if (const auto lock = StoreLock::try_take(root / "lock", &holder)) {
      bring_up_to_date(file);
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline)
      throw UserError(
          fmt::format("{} holds no records yet, or those of an older fusetune; it is "
                      "in use by process {}",
                      root.string(), holder));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

StoreLock take_lock(const fs::path& root) {
  std::string holder;
  auto lock = StoreLock::try_take(root / "lock", &holder);
  if (!lock)
    throw UserError(fmt::format(
        "{} is in use by process {}; wait for it to end, or give another folder with --store",
        root.string(), holder.empty() ? "(unknown)" : holder));
  return std::move(*lock);
}

/// Indices and free pages that are damaged would lose or overwrite sound records.
void require_sound(sqlite::Database& database) {
  const std::string findings = schema_findings(database);
  if (findings.empty()) return;
  throw UserError(fmt::format(
      "{} is damaged ({}); restore a copy, or save what can be read with `fusetune records export "
      "--salvage FILE`, move it away together with its -wal and -shm files, and take the FILE in "
      "with `fusetune records merge FILE`",
      database.path().string(), findings.substr(0, findings.find('\n'))));
}

/// Unlike numbers of runs, the same in every store that the run is merged into.
std::string new_uid() {
  std::random_device random;
  std::string bits;
  for (int i = 0; i < 4; ++i) bits += fmt::format("{:08x}", random());
  return hash_hex({bits, utc_now(), std::to_string(::getpid())});
}

/// Of several records of one `key` the first.
template <typename Record, typename Key>
void keep_first(std::vector<Record>& records, Key key) {
  std::set<decltype(key(records.front()))> seen;
  std::erase_if(records, [&](const Record& record) { return !seen.insert(key(record)).second; });
}

}  // namespace

struct RecordStore::Impl {
  Impl(const fs::path& file, std::optional<StoreLock> writer_lock)
      : lock(std::move(writer_lock)),
        database(file, lock ? sqlite::Database::Mode::read_write_create
                            : sqlite::Database::Mode::read_only) {
    require_sound(database);
    rows.emplace(database);
  }

  std::optional<StoreLock> lock;  ///< of the writer; given up after the database is closed
  sqlite::Database database;
  std::optional<RecordRows> rows;
  RunRecord run;  ///< id 0: none has begun
  std::function<bool(const StepRecord&)> audited;
  std::function<void(const StepRecord&, const StepRecord&)> compare;
  std::map<std::pair<StepRecord::Kind, std::string>, StepRecord> hidden;  ///< by the audit
  std::function<void(const std::string&)> told = [](const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
  };

  void need_writer(const char* what) const {
    if (!lock)
      throw std::logic_error(
          fmt::format("{} on {}, which was opened for reading", what, database.path().string()));
  }
  void need_run(const char* what) const {
    need_writer(what);
    if (run.id == 0) throw std::logic_error(fmt::format("RecordStore::{} before begin_run", what));
  }

  void tell_damage(const std::string& what) const {
    told(fmt::format("damaged record in {}: {}; it is not used: {}", database.path().string(), what,
                     lock ? "what it told of is done again" : "the next run does it again"));
  }
  RecordRows::OnDamage damaged() const {
    return [this](const std::string& what) { tell_damage(what); };
  }
};

RecordStore::RecordStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RecordStore::~RecordStore() = default;
RecordStore::RecordStore(RecordStore&&) noexcept = default;
RecordStore& RecordStore::operator=(RecordStore&&) noexcept = default;

RecordStore RecordStore::open(const fs::path& root, bool exclusive) {
  make_folder(root);
  const fs::path file = root / "records.sqlite";
  std::optional<StoreLock> lock;
  if (exclusive) {
    lock.emplace(take_lock(root));
    bring_up_to_date(file);
  } else {
    bring_up_to_date_or_wait(root, file);
  }
  return RecordStore(std::make_unique<Impl>(file, std::move(lock)));
}

void RecordStore::on_damage(std::function<void(const std::string&)> told) {
  impl_->told = std::move(told);
}

std::int64_t RecordStore::begin_run(std::string_view campaign_key, std::string_view name,
                                    const Json& plan) {
  Impl& store = *impl_;
  store.need_writer("begin_run");
  if (store.run.id != 0) throw std::logic_error("begin_run: this run has begun already");
  RunRecord run;
  run.uid = new_uid();
  run.campaign = campaign_key;
  run.pid = ::getpid();
  run.harness_version = harness_version();
  run.started = utc_now();
  sqlite::Transaction transaction(store.database);
  // All that a damaged campaign held is known here again.
  if (!store.rows->campaign(campaign_key, store.damaged()))
    store.rows->put(
        CampaignRecord{std::string(campaign_key), std::string(name), plan, run.started});
  run.id = store.rows->put(run);
  transaction.commit();
  store.run = run;
  return run.id;
}

void RecordStore::end_run(std::string_view how) {
  if (impl_->run.id == 0) throw std::logic_error("end_run without begin_run");
  impl_->run.ended = utc_now();
  impl_->run.how = how;
  impl_->rows->put(impl_->run);
  impl_->run = {};
}

std::optional<StepRecord> RecordStore::find(StepRecord::Kind kind, std::string_view key) const {
  bool was_damaged = false;
  std::optional<StepRecord> step = impl_->rows->step(kind, key, [&](const std::string& what) {
    was_damaged = true;
    impl_->tell_damage(what);
  });
  if (was_damaged && impl_->lock) impl_->rows->remove_step(kind, key);
  if (step && impl_->audited && step->run != impl_->run.id && impl_->audited(*step)) {
    impl_->hidden.insert_or_assign({kind, std::string(key)}, *std::move(step));
    return std::nullopt;
  }
  return step;
}

void RecordStore::add(StepRecord step) {
  impl_->need_run("add");
  if (step.key.empty()) throw std::logic_error("RecordStore::add: a step needs a key");
  if (!std::isfinite(step.wall_ms))
    throw std::logic_error("RecordStore::add: wall_ms is not finite");
  if (const auto recorded = impl_->hidden.find({step.kind, step.key});
      recorded != impl_->hidden.end()) {
    impl_->compare(recorded->second, step);
    impl_->hidden.erase(recorded);
    return;
  }
  step.subject = to_utf8(step.subject);
  step.message = to_utf8(step.message);
  step.run = impl_->run.id;
  step.finished = utc_now();
  if (!impl_->rows->insert(step))
    throw std::logic_error(fmt::format("the {} step '{}' ({}) is already recorded",
                                       to_string(step.kind), step.key, step.subject));
}

void RecordStore::audit(
    std::function<bool(const StepRecord&)> chosen,
    std::function<void(const StepRecord& recorded, const StepRecord& fresh)> compare) {
  impl_->audited = std::move(chosen);
  impl_->compare = std::move(compare);
  impl_->hidden.clear();
}

void RecordStore::forget(StepRecord::Kind kind, std::string_view key) {
  impl_->need_writer("forget");
  impl_->rows->remove_step(kind, key);
}

void RecordStore::add_death(const WorkerDeath& death) {
  impl_->need_run("add_death");
  WorkerDeath row = death;
  row.subject = to_utf8(death.subject);
  row.last_output = to_utf8(death.last_output);
  row.run = impl_->run.id;
  row.at = utc_now();
  impl_->rows->insert(row);
}

std::vector<StepRecord> RecordStore::all(StepRecord::Kind kind) const {
  std::vector<StepRecord> steps;
  impl_->rows->steps(kind, steps, impl_->damaged());
  return steps;
}

std::int64_t RecordStore::count(StepRecord::Kind kind) const { return impl_->rows->count(kind); }

RecordSet RecordStore::everything() const {
  const RecordRows::OnDamage damaged = impl_->damaged();
  RecordSet set;
  impl_->rows->campaigns(set.campaigns, damaged);
  impl_->rows->runs(set.runs, damaged);
  impl_->rows->steps(set.steps, damaged);
  impl_->rows->deaths(set.deaths, damaged);
  add_lost_parents(set);
  return set;
}

RecordStore::MergeResult RecordStore::merge(
    const std::vector<std::pair<std::string, RecordSet>>& sets) {
  impl_->need_writer("merge");
  sqlite::Transaction transaction(impl_->database);
  MergeResult result = merge_records(*impl_->rows, path().parent_path().string(), sets);
  if (result.conflicts.empty()) transaction.commit();
  return result;
}

std::string RecordStore::integrity() const { return schema_findings(impl_->database); }

const fs::path& RecordStore::path() const { return impl_->database.path(); }

RecordSet salvage_records(const fs::path& root,
                          const std::function<void(const std::string&)>& left_out) {
  const fs::path file = root / "records.sqlite";
  sqlite::Database database(file, sqlite::Database::Mode::read_only);
  if (schema_version(database) != kSchemaVersion)
    throw UserError(fmt::format("{} has an older schema; nothing of it can be told to be whole",
                                file.string()));
  RecordSet set;
  RecordRows rows(database);
  const auto each = [&](const char* what, const auto& read) {
    try {
      read();
    } catch (const std::exception&) {  // damage may take whole tables away
      left_out(fmt::format("{} from a place in the file that cannot be read", what));
    }
  };
  each("campaigns", [&] { rows.campaigns(set.campaigns, left_out); });
  each("runs", [&] { rows.runs(set.runs, left_out); });
  each("steps", [&] { rows.steps(set.steps, left_out); });
  // Behind a page that cannot be read there are others.
  const auto quiet = [](const std::string&) {};
  try {
    rows.steps(set.steps, quiet, RecordRows::Order::last_to_first);
  } catch (const std::exception&) {  // it was told above
  }
  each("worker deaths", [&] { rows.deaths(set.deaths, left_out); });
  keep_first(set.steps, [](const StepRecord& step) { return std::pair(step.kind, step.key); });
  // A page may be reached twice by the damage.
  keep_first(set.campaigns, [](const CampaignRecord& campaign) { return campaign.key; });
  keep_first(set.runs, [](const RunRecord& run) { return run.uid; });
  keep_first(set.runs, [](const RunRecord& run) { return run.id; });
  keep_first(set.deaths, [](const WorkerDeath& death) { return death; });
  add_lost_parents(set);
  return set;
}

}  // namespace fusetune
