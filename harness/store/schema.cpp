#include "harness/store/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

// "fust": tells our files from any other SQLite database.
constexpr int kApplicationId = 0x66757374;

// Each row carries a checksum of all its other columns (but ids, which indices and references
// check), so damage inside a row is found where it is read and costs that row alone. JSON is not
// checked here for the same reason: the check would refuse the whole file.
constexpr const char* kTables = R"sql(
CREATE TABLE campaigns (
  id       INTEGER PRIMARY KEY,
  key      TEXT NOT NULL UNIQUE,
  name     TEXT NOT NULL,
  plan     TEXT NOT NULL,
  created  TEXT NOT NULL,
  checksum TEXT NOT NULL
) STRICT;

-- One process run; ended and how stay empty when it was killed.
CREATE TABLE runs (
  id              INTEGER PRIMARY KEY,
  uid             TEXT NOT NULL UNIQUE,
  campaign        TEXT NOT NULL REFERENCES campaigns (key),
  pid             INTEGER NOT NULL,
  harness_version TEXT NOT NULL,
  started         TEXT NOT NULL,
  ended           TEXT NOT NULL,
  how             TEXT NOT NULL,
  checksum        TEXT NOT NULL
) STRICT;

CREATE TABLE steps (
  id       INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,
  key      TEXT NOT NULL,
  subject  TEXT NOT NULL,
  status   TEXT NOT NULL,
  message  TEXT NOT NULL,
  data     TEXT NOT NULL,
  wall_ms  REAL NOT NULL,
  run      INTEGER NOT NULL REFERENCES runs (id),
  finished TEXT NOT NULL,
  checksum TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;

CREATE TABLE worker_deaths (
  id          INTEGER PRIMARY KEY,
  role        TEXT NOT NULL,
  pid         INTEGER NOT NULL,
  how         TEXT NOT NULL,
  signal      INTEGER NOT NULL,
  exit_code   INTEGER NOT NULL,
  subject     TEXT NOT NULL,
  last_output TEXT NOT NULL,
  run         INTEGER NOT NULL REFERENCES runs (id),
  at          TEXT NOT NULL,
  checksum    TEXT NOT NULL
) STRICT;
)sql";

[[noreturn]] void refuse_foreign(const sqlite::Database& database) {
  throw UserError(
      fmt::format("{} is a SQLite database, but no record store; give another folder with --store",
                  database.path().string()));
}

/// Every table and index with the text that made it.
std::vector<std::string> schema_texts(sqlite::Database& database) {
  sqlite::Statement select(database, "SELECT type, name, tbl_name, sql FROM sqlite_schema");
  std::vector<std::string> texts;
  while (select.step())
    texts.push_back(fmt::format("{} {} of {}: {}", select.text(0), select.text(1), select.text(2),
                                select.text(3)));
  std::sort(texts.begin(), texts.end());
  return texts;
}

const std::vector<std::string>& expected_schema() {
  static const std::vector<std::string> texts = [] {
    sqlite::Database scratch(":memory:", sqlite::Database::Mode::read_write_create);
    create_tables(scratch);
    return schema_texts(scratch);
  }();
  return texts;
}

}  // namespace

int schema_version(sqlite::Database& database) {
  // Another process may be making the tables at this moment.
  const sqlite::Transaction at_once(database, sqlite::Transaction::Kind::read);
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t application = database.integer("PRAGMA application_id");
  if (application == 0 && version == 0) {
    if (database.integer("SELECT count(*) FROM sqlite_schema") != 0) refuse_foreign(database);
    return 0;
  }
  if (application != kApplicationId || version < 1) refuse_foreign(database);
  if (version > kSchemaVersion)
    throw UserError(
        fmt::format("{} has schema version {}, written by a newer fusetune (this one knows {}); "
                    "update fusetune, or give another folder with --store",
                    database.path().string(), version, kSchemaVersion));
  return static_cast<int>(version);
}

void create_tables(sqlite::Database& database) {
  database.execute(kTables);
  const std::string marks = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                        kApplicationId, kSchemaVersion);
  database.execute(marks.c_str());
}

std::string schema_findings(sqlite::Database& database) {
  std::string findings;
  const auto note = [&](const std::string& text) {
    findings += (findings.empty() ? "" : "\n") + text;
  };
  try {
    // One row "ok", or a row per finding.
    sqlite::Statement check(database, "PRAGMA integrity_check");
    while (check.step())
      if (check.text(0) != "ok") note(check.text(0));
    sqlite::Statement references(database, "PRAGMA foreign_key_check");
    while (references.step())
      note(fmt::format("row {} of {} refers to a row of {} that does not exist", references.text(1),
                       references.text(0), references.text(2)));
    if (schema_version(database) == kSchemaVersion && schema_texts(database) != expected_schema())
      note("its tables are not those that fusetune makes");
  } catch (const UserError& error) {
    note(error.what());  // too damaged even to be checked to the end
  } catch (const std::runtime_error& error) {
    note(error.what());
  }
  return findings;
}

}  // namespace fusetune
