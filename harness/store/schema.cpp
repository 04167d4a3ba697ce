#include "harness/store/schema.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"

namespace fusetune {

namespace {

// "fust": tells our files from any other SQLite database.
constexpr int kApplicationId = 0x66757374;

constexpr const char* kTables = R"sql(
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE campaigns (
  id      INTEGER PRIMARY KEY,
  key     TEXT NOT NULL UNIQUE,
  name    TEXT NOT NULL,
  plan    TEXT NOT NULL CHECK (json_valid(plan)),
  created TEXT NOT NULL
) STRICT;

-- One process run; ended and how stay NULL when it was killed.
CREATE TABLE runs (
  id              INTEGER PRIMARY KEY,
  campaign        INTEGER NOT NULL REFERENCES campaigns (id),
  pid             INTEGER NOT NULL,
  harness_version TEXT NOT NULL,
  started         TEXT NOT NULL,
  ended           TEXT,
  how             TEXT
) STRICT;

CREATE TABLE steps (
  id       INTEGER PRIMARY KEY,
  kind     TEXT NOT NULL,
  key      TEXT NOT NULL,
  subject  TEXT NOT NULL,
  status   TEXT NOT NULL,
  message  TEXT NOT NULL,
  data     TEXT NOT NULL CHECK (json_valid(data)),
  wall_ms  REAL NOT NULL,
  run      INTEGER NOT NULL REFERENCES runs (id),
  finished TEXT NOT NULL,
  UNIQUE (kind, key)
) STRICT;
)sql";

[[noreturn]] void refuse_foreign(const sqlite::Database& database) {
  throw UserError(
      fmt::format("{} is a SQLite database, but no record store; give another folder with --store",
                  database.path().string()));
}

}  // namespace

bool is_new_database(sqlite::Database& database) {
  const std::int64_t version = database.integer("PRAGMA user_version");
  const std::int64_t application = database.integer("PRAGMA application_id");
  if (application == 0 && version == 0) {
    if (database.integer("SELECT count(*) FROM sqlite_schema") != 0) refuse_foreign(database);
    return true;
  }
  if (application != kApplicationId || version < 1) refuse_foreign(database);
  if (version > kSchemaVersion)
    throw UserError(
        fmt::format("{} has schema version {}, written by a newer fusetune (this one knows {}); "
                    "update fusetune, or give another folder with --store",
                    database.path().string(), version, kSchemaVersion));
  return false;
}

void create_schema(sqlite::Database& database) {
  sqlite::Transaction transaction(database);
  database.execute(kTables);
  const std::string marks = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                        kApplicationId, kSchemaVersion);
  database.execute(marks.c_str());
  sqlite::Statement insert(database, "INSERT INTO meta (key, value) VALUES (?1, ?2)");
  const std::string version = std::to_string(kSchemaVersion);
  const std::string creator = harness_version();
  insert.bind(1, "schema_version").bind(2, version);
  insert.run();
  insert.bind(1, "created_by").bind(2, creator);
  insert.run();
  transaction.commit();
}

}  // namespace fusetune
