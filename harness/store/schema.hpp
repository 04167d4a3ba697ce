#pragma once
// The tables of the record store, and which version of them a file holds.

#include "harness/store/sqlite.hpp"

namespace fusetune {

constexpr int kSchemaVersion = 1;

/// Whether the file has no tables yet. Throws UserError when it holds a newer schema, or tables
/// that are not ours.
bool is_new_database(sqlite::Database& database);

/// Creates all tables in one transaction; a kill leaves none or all.
void create_schema(sqlite::Database& database);

}  // namespace fusetune
