#pragma once
// A folder of its own for each test, and steps to fill stores with.

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/store/record_store.hpp"

namespace fusetune {

class StoreTest : public testing::Test {
 protected:
  std::filesystem::path root() const { return folder_ / "store"; }
  std::filesystem::path file() const { return root() / "records.sqlite"; }

  RecordStore open_for_writing() const {
    RecordStore store = RecordStore::open(root(), true);
    store.begin_run("key", "sweep", {{"cases", 3}});
    return store;
  }

  static StepRecord step(int i, StepRecord::Kind kind = StepRecord::Kind::compile) {
    StepRecord record;
    record.kind = kind;
    record.key = "k" + std::to_string(i);
    record.subject = "case | variant | host-w64";
    record.data = {{"i", i}, {"samples_us", {1.5, 2.25}}};
    record.wall_ms = i + 0.5;
    return record;
  }

  static WorkerDeath worker_death() {
    WorkerDeath death;
    death.role = "device";
    death.pid = 7;
    death.how = "died";
    death.signal = 11;
    death.subject = "case";
    death.last_output = "stack smashed";
    return death;
  }

  /// Behind the program's back.
  void change(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }

  // In memory where possible: a durable write to a busy disk takes ten milliseconds and more, and
  // no test here cuts the power.
  TemporaryFolder folder_{"fusetune-store", ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ""};
};

/// The message of the UserError that `act` must throw.
template <typename Act>
std::string user_error(Act act) {
  try {
    act();
  } catch (const UserError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no UserError";
  return "";
}

}  // namespace fusetune
