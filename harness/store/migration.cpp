#include "harness/store/migration.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/hash.hpp"
#include "harness/store/record_rows.hpp"
#include "harness/store/schema.hpp"

namespace fusetune {

namespace {

// Renamed, so that the new tables get their own names. Other tables' references to them do not
// matter any more and are left as they are (legacy_alter_table).
constexpr const char* kSetAside = R"sql(
ALTER TABLE campaigns RENAME TO old_campaigns;
ALTER TABLE runs RENAME TO old_runs;
ALTER TABLE steps RENAME TO old_steps;
)sql";
constexpr const char* kDropOld = R"sql(
DROP TABLE old_steps;
DROP TABLE old_runs;
DROP TABLE old_campaigns;
DROP TABLE meta;
)sql";

[[noreturn]] void refuse(const sqlite::Database& database, const std::string& what) {
  throw UserError(
      fmt::format("{} is damaged and cannot be brought to schema version {}: {}; move it away "
                  "together with its -wal and -shm files, or restore a copy",
                  database.path().string(), kSchemaVersion, what));
}

void copy_campaigns(sqlite::Database& database, RecordRows& rows) {
  sqlite::Statement select(database,
                           "SELECT key, name, plan, created FROM old_campaigns ORDER BY id");
  while (select.step()) {
    const std::optional<CampaignRecord> campaign = read_campaign(select);
    if (!campaign) refuse(database, "the plan of a campaign is no JSON");
    rows.put(*campaign);
  }
}

void copy_runs(sqlite::Database& database, RecordRows& rows) {
  sqlite::Statement select(
      database,
      "SELECT r.id, '', c.key, r.pid, r.harness_version, r.started, r.ended, r.how "
      "FROM old_runs r JOIN old_campaigns c ON c.id = r.campaign ORDER BY r.id");
  while (select.step()) {
    RunRecord run = read_run(select);
    // The same in every copy of the file, so that two of them merge into one.
    run.uid = hash_hex({"version 1", run.campaign, std::to_string(run.pid), run.started});
    // Runs were never deleted; steps keep their numbers.
    if (rows.put(run) != run.id) refuse(database, "its runs are not numbered from 1");
  }
}

void copy_steps(sqlite::Database& database, RecordRows& rows) {
  sqlite::Statement select(
      database,
      "SELECT kind, key, subject, status, message, data, wall_ms, run, finished FROM old_steps "
      "ORDER BY id");
  while (select.step()) {
    const std::optional<StepRecord> step = read_step(select);
    if (!step)
      refuse(database,
             fmt::format("the {} step '{}' cannot be read", select.text(0), select.text(1)));
    rows.insert(*step);
  }
}

}  // namespace

void migrate_from_version_1(sqlite::Database& database) {
  // The old tables check their JSON with a function, which nothing is called from by default.
  database.execute("PRAGMA trusted_schema = ON");
  if (const std::string findings = schema_findings(database); !findings.empty())
    refuse(database, findings.substr(0, findings.find('\n')));
  database.execute("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON");
  {
    sqlite::Transaction transaction(database);
    database.execute(kSetAside);
    create_tables(database);
    {
      RecordRows rows(database);
      copy_campaigns(database, rows);
      copy_runs(database, rows);
      copy_steps(database, rows);
    }
    database.execute(kDropOld);
    transaction.commit();
  }
  database.execute(
      "PRAGMA foreign_keys = ON; PRAGMA legacy_alter_table = OFF; PRAGMA trusted_schema = OFF");
}

}  // namespace fusetune
