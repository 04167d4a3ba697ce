#include "harness/store/record_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "harness/store/row_checksum.hpp"

namespace fusetune {

namespace {

const std::string kSelectSteps =
    "SELECT kind, key, subject, status, message, data, wall_ms, run, finished, checksum FROM "
    "steps ";
const std::string kSelectCampaigns = "SELECT key, name, plan, created, checksum FROM campaigns ";
constexpr const char* kSelectRuns =
    "SELECT id, uid, campaign, pid, harness_version, started, ended, how, checksum FROM runs "
    "ORDER BY id";
constexpr const char* kSelectDeaths =
    "SELECT role, pid, how, signal, exit_code, subject, last_output, run, at, checksum "
    "FROM worker_deaths ORDER BY id";

/// Damage in a name could print anything.
std::string printable(std::string text) {
  constexpr std::size_t kLongest = 200;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) >= 127) c = '?';
  return text;
}

std::optional<StepRecord> step_from(const sqlite::Statement& row,
                                    const RecordRows::OnDamage& damaged) {
  std::optional<StepRecord> step = read_step(row);
  if (step && row_checksum(*step, row.text(3), row.text(5)) == row.text(9)) return step;
  damaged(printable(fmt::format("{} step '{}' ({})", row.text(0), row.text(1), row.text(2))));
  return std::nullopt;
}

std::optional<CampaignRecord> campaign_from(const sqlite::Statement& row,
                                            const RecordRows::OnDamage& damaged) {
  std::optional<CampaignRecord> campaign = read_campaign(row);
  if (campaign && row_checksum(*campaign, row.text(2)) == row.text(4)) return campaign;
  damaged(printable(fmt::format("campaign '{}' ({})", row.text(0), row.text(1))));
  return std::nullopt;
}

std::optional<RunRecord> run_from(const sqlite::Statement& row,
                                  const RecordRows::OnDamage& damaged) {
  RunRecord run = read_run(row);
  if (row_checksum(run) == row.text(8)) return run;
  damaged(printable(fmt::format("run {} of {}", run.id, run.started)));
  return std::nullopt;
}

std::optional<WorkerDeath> death_from(const sqlite::Statement& row,
                                      const RecordRows::OnDamage& damaged) {
  WorkerDeath death;
  death.role = row.text(0);
  death.pid = row.integer(1);
  death.how = row.text(2);
  death.signal = static_cast<int>(row.integer(3));
  death.exit_code = static_cast<int>(row.integer(4));
  death.subject = row.text(5);
  death.last_output = row.text(6);
  death.run = row.integer(7);
  death.at = row.text(8);
  if (row_checksum(death) == row.text(9)) return death;
  damaged(printable(fmt::format("death of a {} worker ({})", death.role, death.subject)));
  return std::nullopt;
}

template <typename Record, typename From>
void read_all(sqlite::Statement& select, const From& from, std::vector<Record>& into,
              const RecordRows::OnDamage& damaged) {
  const sqlite::ScopedReset reset_after(select);
  while (select.step())
    if (auto record = from(select, damaged)) into.push_back(*std::move(record));
}

}  // namespace

std::optional<CampaignRecord> read_campaign(const sqlite::Statement& row) {
  CampaignRecord campaign{row.text(0), row.text(1),
                          Json::parse(row.text(2), nullptr, /*allow_exceptions=*/false),
                          row.text(3)};
  if (campaign.plan.is_discarded()) return std::nullopt;
  return campaign;
}

RunRecord read_run(const sqlite::Statement& row) {
  return {row.integer(0), row.text(1), row.text(2), row.integer(3),
          row.text(4),    row.text(5), row.text(6), row.text(7)};
}

std::optional<StepRecord> read_step(const sqlite::Statement& row) {
  const std::vector<StepRecord::Kind> kinds = step_kinds();
  const std::string name = row.text(0);
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](StepRecord::Kind one) { return to_string(one) == name; });
  const auto status = status_from_string(row.text(3));
  Json data = Json::parse(row.text(5), nullptr, /*allow_exceptions=*/false);
  if (kind == kinds.end() || !status || data.is_discarded()) return std::nullopt;
  return StepRecord{*kind,           row.text(1), row.text(2),    *status,    row.text(4),
                    std::move(data), row.real(6), row.integer(7), row.text(8)};
}

RecordRows::RecordRows(sqlite::Database& database)
    : database_(database),
      put_campaign_(database,
                    "INSERT INTO campaigns (key, name, plan, created, checksum) "
                    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE SET name = ?2, "
                    "plan = ?3, created = ?4, checksum = ?5"),
      put_run_(database,
               "INSERT INTO runs (uid, campaign, pid, harness_version, started, ended, how, "
               "checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (uid) DO UPDATE SET "
               "campaign = ?2, pid = ?3, harness_version = ?4, started = ?5, ended = ?6, how = ?7, "
               "checksum = ?8 RETURNING id"),
      insert_step_(database,
                   "INSERT INTO steps (kind, key, subject, status, message, data, wall_ms, run, "
                   "finished, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      insert_death_(database,
                    "INSERT INTO worker_deaths (role, pid, how, signal, exit_code, subject, "
                    "last_output, run, at, checksum) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      remove_step_(database, "DELETE FROM steps WHERE kind = ?1 AND key = ?2"),
      one_step_(database, kSelectSteps + "WHERE kind = ?1 AND key = ?2"),
      one_campaign_(database, kSelectCampaigns + "WHERE key = ?1"),
      steps_of_kind_(database, kSelectSteps + "WHERE kind = ?1 ORDER BY id"),
      count_(database, "SELECT count(*) FROM steps WHERE kind = ?1") {}

void RecordRows::put(const CampaignRecord& campaign) {
  const std::string plan = stored_text(campaign.plan);
  const std::string checksum = row_checksum(campaign, plan);
  put_campaign_.bind(1, campaign.key).bind(2, campaign.name).bind(3, plan);
  put_campaign_.bind(4, campaign.created).bind(5, checksum).run();
}

std::int64_t RecordRows::put(const RunRecord& run) {
  const sqlite::ScopedReset reset_after(put_run_);
  const std::string checksum = row_checksum(run);
  put_run_.bind(1, run.uid).bind(2, run.campaign).bind(3, run.pid).bind(4, run.harness_version);
  put_run_.bind(5, run.started).bind(6, run.ended).bind(7, run.how).bind(8, checksum);
  put_run_.step();
  const std::int64_t id = put_run_.integer(0);
  while (put_run_.step()) {
  }
  return id;
}

bool RecordRows::insert(const StepRecord& step) {
  const std::string data = stored_text(step.data);
  const std::string status(to_string(step.status));
  const std::string checksum = row_checksum(step, status, data);
  insert_step_.bind(1, to_string(step.kind)).bind(2, step.key).bind(3, step.subject);
  insert_step_.bind(4, status).bind(5, step.message).bind(6, data).bind(7, step.wall_ms);
  insert_step_.bind(8, step.run).bind(9, step.finished).bind(10, checksum);
  return insert_step_.run_unless_duplicate();
}

void RecordRows::insert(const WorkerDeath& death) {
  const std::string checksum = row_checksum(death);
  insert_death_.bind(1, death.role).bind(2, death.pid).bind(3, death.how);
  insert_death_.bind(4, std::int64_t{death.signal}).bind(5, std::int64_t{death.exit_code});
  insert_death_.bind(6, death.subject).bind(7, death.last_output).bind(8, death.run);
  insert_death_.bind(9, death.at).bind(10, checksum).run();
}

std::optional<StepRecord> RecordRows::step(StepRecord::Kind kind, std::string_view key,
                                           const OnDamage& damaged) {
  const sqlite::ScopedReset reset_after(one_step_);
  one_step_.bind(1, to_string(kind)).bind(2, key);
  return one_step_.step() ? step_from(one_step_, damaged) : std::nullopt;
}

void RecordRows::remove_step(StepRecord::Kind kind, std::string_view key) {
  remove_step_.bind(1, to_string(kind)).bind(2, key).run();
}

std::optional<CampaignRecord> RecordRows::campaign(std::string_view key, const OnDamage& damaged) {
  const sqlite::ScopedReset reset_after(one_campaign_);
  one_campaign_.bind(1, key);
  return one_campaign_.step() ? campaign_from(one_campaign_, damaged) : std::nullopt;
}

void RecordRows::campaigns(std::vector<CampaignRecord>& into, const OnDamage& damaged) {
  sqlite::Statement select(database_, kSelectCampaigns + "ORDER BY id");
  read_all(select, campaign_from, into, damaged);
}

void RecordRows::runs(std::vector<RunRecord>& into, const OnDamage& damaged) {
  sqlite::Statement select(database_, kSelectRuns);
  read_all(select, run_from, into, damaged);
}

void RecordRows::steps(std::vector<StepRecord>& into, const OnDamage& damaged, Order order) {
  const char* sorted = order == Order::first_to_last ? "ORDER BY id" : "ORDER BY id DESC";
  sqlite::Statement select(database_, kSelectSteps + sorted);
  read_all(select, step_from, into, damaged);
}

void RecordRows::steps(StepRecord::Kind kind, std::vector<StepRecord>& into,
                       const OnDamage& damaged) {
  steps_of_kind_.bind(1, to_string(kind));
  read_all(steps_of_kind_, step_from, into, damaged);
}

void RecordRows::deaths(std::vector<WorkerDeath>& into, const OnDamage& damaged) {
  sqlite::Statement select(database_, kSelectDeaths);
  read_all(select, death_from, into, damaged);
}

std::int64_t RecordRows::count(StepRecord::Kind kind) {
  const sqlite::ScopedReset reset_after(count_);
  count_.bind(1, to_string(kind));
  return count_.step() ? count_.integer(0) : 0;
}

std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     milliseconds);
}

}  // namespace fusetune
