#pragma once
// Brings a record store of an older schema to the present one.

#include "harness/store/sqlite.hpp"

namespace fusetune {

/// One transaction: a kill leaves the old schema or the new one, and the other fusetune that wrote
/// the file is kept out by the store's lock. That is why no copy is made: SQLite's log is one until
/// the transaction is committed. Throws UserError when the old file is damaged.
void migrate_from_version_1(sqlite::Database& database);

}  // namespace fusetune
