#include "harness/store/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "harness/base/error.hpp"

namespace fusetune::sqlite {

namespace {

// Writers never meet (the store's lock); this is for a reader that meets a checkpoint.
constexpr int kBusyWaitMs = 10000;

bool disk_is_full(int code, int system_error) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  return (code & 0xff) == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT);
}

}  // namespace

Database::Database(const std::filesystem::path& path, Mode mode) : path_(path) {
  const int flags =
      mode == Mode::read_only ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr);
  if (handle_ == nullptr) throw std::bad_alloc();
  sqlite3_extended_result_codes(handle_, 1);
  try {
    if (code != SQLITE_OK) fail(code);
    sqlite3_busy_timeout(handle_, kBusyWaitMs);
    // What is no database shows at the first look into it, not when it is opened.
    integer("PRAGMA schema_version");
    // NORMAL: what is committed survives a kill; a power cut may cost the last steps, never the
    // file.
    execute(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL; PRAGMA trusted_schema = OFF; "
        "PRAGMA cell_size_check = ON");
    // SQLite opens what it may not write for reading, and would complain at the first step only.
    if (mode == Mode::read_write_create && sqlite3_db_readonly(handle_, "main") == 1)
      fail(SQLITE_READONLY);
    // Readers open for writing, as a log left by a killed run has to be worked in; but they write
    // nothing of their own.
    if (mode == Mode::read_only) execute("PRAGMA query_only = ON");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() { sqlite3_close(handle_); }

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : "";
}

std::int64_t Database::integer(const char* sql) {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::fail(int code) const {
  const int system_error = sqlite3_system_errno(handle_);
  const std::string where = path_.string();
  const std::string reason = sqlite3_errmsg(handle_);
  if (disk_is_full(code, system_error))
    throw UserError(fmt::format(
        "cannot write {}: the disk is full; free space and run again, finished steps are kept",
        where));
  switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      throw UserError(fmt::format(
          "{} is damaged or no record store ({}); move it away together with its -wal and -shm "
          "files, or restore a copy",
          where, reason));
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      throw UserError(fmt::format(
          "cannot open {} for writing ({}); make it and its folder writable, or give another "
          "folder with --store",
          where, system_error != 0 ? std::strerror(system_error) : reason.c_str()));
    case SQLITE_IOERR:
      // SQLite does not always know the system's reason.
      throw UserError(fmt::format(
          "cannot read or write {} ({}{}); check the disk and its quota, or give another folder "
          "with --store",
          where, reason,
          system_error != 0 ? fmt::format(": {}", std::strerror(system_error)) : ""));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw UserError(fmt::format(
          "{} is held by another program ({}); wait for it to end, or give another folder with "
          "--store",
          where, reason));
    default:
      throw std::runtime_error(fmt::format("{}: {}", where, reason));
  }
}

sqlite3_stmt* Statement::prepared() {
  if (handle_ != nullptr) return handle_;
  const int code = sqlite3_prepare_v3(database_.handle(), sql_.c_str(), -1,
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) database_.fail(code);
  return handle_;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL, which an empty view may hold.
  const char* data = text.empty() ? "" : text.data();
  const int code =
      sqlite3_bind_text64(prepared(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(prepared(), index, value);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, double value) {
  const int code = sqlite3_bind_double(prepared(), index, value);
  if (code != SQLITE_OK) database_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(prepared());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

bool Statement::run_unless_duplicate() {
  const ScopedReset reset_after(*this);
  const int code = sqlite3_step(prepared());
  if (code == SQLITE_CONSTRAINT_UNIQUE) return false;
  if (code != SQLITE_DONE) database_.fail(code);
  return true;
}

void Statement::run() {
  const ScopedReset reset_after(*this);
  while (step()) {
  }
}

std::string Statement::text(int column) const {
  const unsigned char* data = sqlite3_column_text(handle_, column);
  if (data == nullptr) return "";
  return {reinterpret_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }

void Statement::reset() {
  if (handle_ == nullptr) return;
  sqlite3_reset(handle_);
  sqlite3_clear_bindings(handle_);
}

// IMMEDIATE: a transaction that would write takes its lock at once, not in the middle.
Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; then this is refused, which is right too.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace fusetune::sqlite
