#pragma once
// SQLite as the record store needs it: a connection, prepared statements, and errors that say
// what a person can do about them.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace fusetune::sqlite {

class Database {
 public:
  enum class Mode { read_only, read_write_create };

  /// Throws UserError naming the path.
  Database(const std::filesystem::path& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements without results.
  void execute(const char* sql);
  /// First column of the first row.
  std::string text(const char* sql);
  std::int64_t integer(const char* sql);

  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() const { return handle_; }

  /// Throws what the result code means: UserError where a person can mend it, else
  /// std::runtime_error.
  [[noreturn]] void fail(int code) const;

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// A statement prepared at its first use, and run many times.
class Statement {
 public:
  Statement(Database& database, std::string sql) : database_(database), sql_(std::move(sql)) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Parameters count from 1. The text must outlive the run.
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);

  /// True while there is a row.
  bool step();
  /// Runs it to its end. False when a UNIQUE constraint refused it.
  bool run_unless_duplicate();
  void run();

  /// Columns count from 0.
  std::string text(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;

  void reset();

 private:
  sqlite3_stmt* prepared();

  Database& database_;
  std::string sql_;
  sqlite3_stmt* handle_ = nullptr;
};

/// Makes a statement ready for its next run whatever happened in this one: an unfinished read would
/// hold its snapshot.
class ScopedReset {
 public:
  explicit ScopedReset(Statement& statement) : statement_(statement) {}
  ~ScopedReset() { statement_.reset(); }
  ScopedReset(const ScopedReset&) = delete;
  ScopedReset& operator=(const ScopedReset&) = delete;

 private:
  Statement& statement_;
};

/// Several statements as one: rolled back unless committed. Reads alone see one state of the file.
class Transaction {
 public:
  enum class Kind { read, write };
  explicit Transaction(Database& database, Kind kind = Kind::write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace fusetune::sqlite
