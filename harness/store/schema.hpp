#pragma once
// The tables of the record store, and which version of them a file holds.

#include "harness/store/sqlite.hpp"

namespace fusetune {

constexpr int kSchemaVersion = 2;

/// The version of the file's tables; 0 when it has none yet. Throws UserError when it holds a newer
/// schema, or tables that are not ours.
int schema_version(sqlite::Database& database);

/// Creates the tables and marks the file, within a transaction of the caller's.
void create_tables(sqlite::Database& database);

/// What SQLite's integrity check, its foreign keys and a comparison of the tables with ours find,
/// line by line; "" when sound. Says nothing of what the rows hold: their checksums do.
std::string schema_findings(sqlite::Database& database);

}  // namespace fusetune
