#include "harness/store/record_store.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/store/schema.hpp"
#include "harness/store/sqlite.hpp"
#include "harness/store/store_lock.hpp"

namespace fusetune {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSelectStep =
    "SELECT kind, key, subject, status, message, data, wall_ms, run FROM steps ";
// How long a reader waits for a writer that is just creating the store.
constexpr std::chrono::milliseconds kCreationWait{5000};

constexpr std::array<std::pair<StepRecord::Kind, std::string_view>, 4> kKinds{{
    {StepRecord::Kind::compile, "compile"},
    {StepRecord::Kind::proof, "proof"},
    {StepRecord::Kind::race, "race"},
    {StepRecord::Kind::traffic, "traffic"},
}};

/// JSON that every reader accepts: bytes that are no UTF-8 are replaced, numbers that are not
/// finite become null.
std::string to_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Messages come from compilers and drivers and may hold anything.
std::string to_utf8(const std::string& text) {
  return Json::parse(to_text(text)).get<std::string>();
}

void make_folder(const fs::path& root) {
  std::error_code error;
  fs::create_directories(root, error);
  if (error || !fs::is_directory(root))
    throw UserError(fmt::format("cannot create the folder {}: {}; give another with --store",
                                root.string(), error ? error.message() : "it is a file"));
}

/// Creates the tables when they are missing. The caller holds the lock.
void create_if_new(const fs::path& file) {
  sqlite::Database database(file, sqlite::Database::Mode::read_write_create);
  const bool is_new = is_new_database(database);  // before anything is changed
  if (const std::string mode = database.text("PRAGMA journal_mode = WAL"); mode != "wal")
    throw UserError(fmt::format(
        "cannot use {}: its file system has no shared memory for a write-ahead log (journal mode "
        "{}); give a folder on a local disk with --store",
        file.string(), mode));
  if (is_new) create_schema(database);
}

bool is_created(const fs::path& file) {
  std::error_code error;
  if (fs::file_size(file, error) == 0 || error) return false;
  sqlite::Database database(file, sqlite::Database::Mode::read_only);
  return !is_new_database(database);
}

/// For a reader: another process may be creating the store at this moment.
void create_or_wait(const fs::path& root, const fs::path& file) {
  const auto deadline = std::chrono::steady_clock::now() + kCreationWait;
  while (!is_created(file)) {
    std::string holder;
    if (const auto lock = StoreLock::try_take(root / "lock", &holder)) {
      create_if_new(file);
      return;
    }
    if (std::chrono::steady_clock::now() >= deadline)
      throw UserError(fmt::format("{} holds no records yet; it is in use by process {}",
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

}  // namespace

std::string_view to_string(StepRecord::Kind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "?";
}

struct RecordStore::Impl {
  Impl(const fs::path& file, std::optional<StoreLock> writer_lock)
      : lock(std::move(writer_lock)),
        database(file, lock ? sqlite::Database::Mode::read_write_create
                            : sqlite::Database::Mode::read_only) {}

  std::optional<StoreLock> lock;  ///< of the writer; given up after the database is closed
  sqlite::Database database;
  std::int64_t run = 0;

  sqlite::Statement insert{database,
                           "INSERT INTO steps (kind, key, subject, status, message, data, wall_ms, "
                           "run, finished) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                           "strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"};
  sqlite::Statement remove{database, "DELETE FROM steps WHERE kind = ?1 AND key = ?2"};
  sqlite::Statement select_one{database,
                               (std::string(kSelectStep) + "WHERE kind = ?1 AND key = ?2").c_str()};
  sqlite::Statement select_all{database,
                               (std::string(kSelectStep) + "WHERE kind = ?1 ORDER BY id").c_str()};
  sqlite::Statement count{database, "SELECT count(*) FROM steps WHERE kind = ?1"};

  void need_writer(const char* what) const {
    if (!lock)
      throw std::logic_error(
          fmt::format("{} on {}, which was opened for reading", what, database.path().string()));
  }

  StepRecord read_row(const sqlite::Statement& row, StepRecord::Kind kind) const {
    StepRecord step;
    step.kind = kind;
    step.key = row.text(1);
    step.subject = row.text(2);
    const std::string status = row.text(3);
    step.message = row.text(4);
    step.data = Json::parse(row.text(5), nullptr, /*allow_exceptions=*/false);
    step.wall_ms = row.real(6);
    step.run = row.integer(7);
    const auto known = status_from_string(status);
    if (!known || step.data.is_discarded())
      throw UserError(
          fmt::format("{}: the {} step '{}' cannot be read ({}); move the file away, or "
                      "restore a copy",
                      database.path().string(), to_string(kind), step.key,
                      known ? "its data are no JSON" : "unknown status " + status));
    step.status = *known;
    return step;
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
    create_if_new(file);
  } else {
    create_or_wait(root, file);
  }
  return RecordStore(std::make_unique<Impl>(file, std::move(lock)));
}

std::int64_t RecordStore::begin_run(std::string_view campaign_key, std::string_view name,
                                    const Json& plan) {
  impl_->need_writer("begin_run");
  if (impl_->run != 0) throw std::logic_error("begin_run: this run has begun already");
  sqlite::Database& database = impl_->database;
  const std::string plan_text = to_text(plan);
  const std::string version = harness_version();
  sqlite::Transaction transaction(database);
  sqlite::Statement campaign(database,
                             "INSERT INTO campaigns (key, name, plan, created) VALUES (?1, ?2, ?3, "
                             "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) ON CONFLICT (key) DO NOTHING");
  campaign.bind(1, campaign_key).bind(2, name).bind(3, plan_text).run();
  sqlite::Statement insert(
      database,
      "INSERT INTO runs (campaign, pid, harness_version, started) SELECT id, ?2, ?3, "
      "strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM campaigns WHERE key = ?1");
  insert.bind(1, campaign_key).bind(2, std::int64_t{::getpid()}).bind(3, version).run();
  const std::int64_t run = database.last_row();
  transaction.commit();
  impl_->run = run;
  return run;
}

void RecordStore::end_run(std::string_view how) {
  if (impl_->run == 0) throw std::logic_error("end_run without begin_run");
  sqlite::Statement update(
      impl_->database,
      "UPDATE runs SET ended = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), how = ?2 WHERE id = ?1");
  update.bind(1, impl_->run).bind(2, how).run();
  impl_->run = 0;
}

std::optional<StepRecord> RecordStore::find(StepRecord::Kind kind, std::string_view key) const {
  sqlite::Statement& select = impl_->select_one;
  const sqlite::ScopedReset reset_after(select);
  select.bind(1, to_string(kind)).bind(2, key);
  if (!select.step()) return std::nullopt;
  return impl_->read_row(select, kind);
}

void RecordStore::add(const StepRecord& step) {
  impl_->need_writer("add");
  if (impl_->run == 0) throw std::logic_error("RecordStore::add before begin_run");
  if (step.key.empty()) throw std::logic_error("RecordStore::add: a step needs a key");
  if (!std::isfinite(step.wall_ms))
    throw std::logic_error("RecordStore::add: wall_ms is not finite");
  const std::string subject = to_utf8(step.subject);
  const std::string message = to_utf8(step.message);
  const std::string data = to_text(step.data);
  impl_->insert.bind(1, to_string(step.kind))
      .bind(2, step.key)
      .bind(3, subject)
      .bind(4, to_string(step.status))
      .bind(5, message)
      .bind(6, data)
      .bind(7, step.wall_ms)
      .bind(8, impl_->run);
  if (!impl_->insert.run_unless_duplicate())
    throw std::logic_error(fmt::format("the {} step '{}' ({}) is already recorded",
                                       to_string(step.kind), step.key, step.subject));
}

void RecordStore::forget(StepRecord::Kind kind, std::string_view key) {
  impl_->need_writer("forget");
  impl_->remove.bind(1, to_string(kind)).bind(2, key).run();
}

std::vector<StepRecord> RecordStore::all(StepRecord::Kind kind) const {
  sqlite::Statement& select = impl_->select_all;
  const sqlite::ScopedReset reset_after(select);
  select.bind(1, to_string(kind));
  std::vector<StepRecord> steps;
  while (select.step()) steps.push_back(impl_->read_row(select, kind));
  return steps;
}

std::int64_t RecordStore::count(StepRecord::Kind kind) const {
  sqlite::Statement& select = impl_->count;
  const sqlite::ScopedReset reset_after(select);
  select.bind(1, to_string(kind));
  return select.step() ? select.integer(0) : 0;
}

std::string RecordStore::integrity() const {
  std::string findings;
  const auto note = [&](const std::string& text) {
    findings += (findings.empty() ? "" : "\n") + text;
  };
  try {
    // One row "ok", or a row per finding.
    sqlite::Statement check(impl_->database, "PRAGMA integrity_check");
    while (check.step())
      if (check.text(0) != "ok") note(check.text(0));
    sqlite::Statement references(impl_->database, "PRAGMA foreign_key_check");
    while (references.step())
      note(fmt::format("row {} of {} refers to a row of {} that does not exist", references.text(1),
                       references.text(0), references.text(2)));
  } catch (const UserError& error) {
    note(error.what());  // too damaged even to be checked to the end
  }
  return findings;
}

const fs::path& RecordStore::path() const { return impl_->database.path(); }

}  // namespace fusetune
