#include "harness/store/record_store.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <limits>
#include <thread>

#include "harness/base/files.hpp"
#include "tests/store/store_fixture.hpp"

namespace fusetune {
namespace {

using Kind = StepRecord::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

/// All values of a query, columns joined by '|'.
std::vector<std::string> query(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(file.c_str(), &database), SQLITE_OK);
  std::vector<std::string> rows;
  const auto add_row = [](void* into, int columns, char** values, char**) {
    std::string row;
    for (int i = 0; i < columns; ++i)
      row += (i == 0 ? "" : "|") + std::string(values[i] != nullptr ? values[i] : "NULL");
    static_cast<std::vector<std::string>*>(into)->push_back(row);
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), add_row, &rows, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
  return rows;
}

using RecordStoreTest = StoreTest;

TEST_F(RecordStoreTest, GivesBackWhatWasAdded) {
  StepRecord record = step(1, Kind::proof);
  record.status = Status::verification_failed;
  record.message = "y differs at (3, 7): \"0x1\" — 'quoted'; DROP TABLE steps";
  record.data = {{"ratio", 0.1}, {"big", std::int64_t{9007199254740993}}, {"none", nullptr}};
  record.wall_ms = 12.75;
  const auto check = [&](const RecordStore& store, std::int64_t run) {
    const auto found = store.find(Kind::proof, "k1");
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->kind, Kind::proof);
    EXPECT_EQ(found->key, "k1");
    EXPECT_EQ(found->subject, record.subject);
    EXPECT_EQ(found->status, Status::verification_failed);
    EXPECT_EQ(found->message, record.message);
    EXPECT_EQ(found->data, record.data);
    EXPECT_EQ(found->wall_ms, 12.75);
    EXPECT_EQ(found->run, run);
  };
  std::int64_t run = 0;
  {
    RecordStore store = RecordStore::open(root(), true);
    run = store.begin_run("key", "sweep", {});
    store.add(record);
    check(store, run);
  }
  check(RecordStore::open(root(), true), run);
}

TEST_F(RecordStoreTest, KindsAreApart) {
  RecordStore store = open_for_writing();
  store.add(step(1, Kind::compile));
  store.add(step(1, Kind::race));
  store.add(step(2, Kind::race));
  store.add(step(1, Kind::traffic));
  EXPECT_EQ(store.find(Kind::traffic, "k1")->kind, Kind::traffic);
  EXPECT_EQ(store.count(Kind::traffic), 1);
  EXPECT_FALSE(store.find(Kind::proof, "k1").has_value());
  EXPECT_TRUE(store.find(Kind::race, "k2").has_value());
  EXPECT_FALSE(store.find(Kind::race, "K2").has_value());
  EXPECT_EQ(store.count(Kind::compile), 1);
  EXPECT_EQ(store.count(Kind::proof), 0);
  EXPECT_EQ(store.count(Kind::race), 2);
}

TEST_F(RecordStoreTest, AllIsInOrderOfAddition) {
  RecordStore store = open_for_writing();
  for (const int i : {5, 1, 3}) store.add(step(i));
  store.add(step(9, Kind::race));
  std::vector<std::string> keys;
  for (const StepRecord& record : store.all(Kind::compile)) keys.push_back(record.key);
  EXPECT_THAT(keys, ElementsAre("k5", "k1", "k3"));
}

TEST_F(RecordStoreTest, AddingTwiceThrowsAndKeepsTheFirst) {
  RecordStore store = open_for_writing();
  store.add(step(1));
  StepRecord again = step(1);
  again.status = Status::compile_error;
  try {
    store.add(again);
    ADD_FAILURE() << "added twice";
  } catch (const std::logic_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the compile step 'k1'"));
    EXPECT_THAT(error.what(), HasSubstr("already recorded"));
  }
  EXPECT_EQ(store.count(Kind::compile), 1);
  EXPECT_EQ(store.find(Kind::compile, "k1")->status, Status::ok);
  store.add(step(2));  // the store goes on
}

TEST_F(RecordStoreTest, ForgetAllowsAnotherTry) {
  RecordStore store = open_for_writing();
  store.add(step(1));
  store.add(step(1, Kind::race));
  store.forget(Kind::compile, "k1");
  EXPECT_FALSE(store.find(Kind::compile, "k1").has_value());
  EXPECT_TRUE(store.find(Kind::race, "k1").has_value());
  store.add(step(1));
  store.forget(Kind::compile, "never there");
}

TEST_F(RecordStoreTest, EveryStatusComesBack) {
  RecordStore store = open_for_writing();
  for (int i = 0; i <= static_cast<int>(Status::skipped); ++i) {
    StepRecord record = step(i);
    record.status = static_cast<Status>(i);
    store.add(record);
    EXPECT_EQ(store.find(Kind::compile, record.key)->status, static_cast<Status>(i));
  }
}

TEST_F(RecordStoreTest, TextIsUtf8AndJsonHasNoNan) {
  RecordStore store = open_for_writing();
  StepRecord record = step(1);
  record.message = "error: \xff\xfe in log";
  record.data = {{"cosine", std::numeric_limits<double>::quiet_NaN()},
                 {"ratio", std::numeric_limits<double>::infinity()},
                 {"log", "caf\xe9"}};
  store.add(record);
  const auto found = store.find(Kind::compile, "k1");
  EXPECT_EQ(found->message, "error: \xEF\xBF\xBD\xEF\xBF\xBD in log");
  EXPECT_TRUE(found->data["cosine"].is_null());
  EXPECT_TRUE(found->data["ratio"].is_null());
  EXPECT_EQ(found->data["log"], "caf\xEF\xBF\xBD");
  EXPECT_THAT(query(file(), "SELECT json_valid(data) FROM steps"), ElementsAre("1"));
  record.key = "k2";
  record.wall_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(store.add(record), std::logic_error);
}

TEST_F(RecordStoreTest, StepsNeedARunAndAKey) {
  RecordStore store = RecordStore::open(root(), true);
  EXPECT_THROW(store.add(step(1)), std::logic_error);
  EXPECT_THROW(store.end_run("pass"), std::logic_error);
  store.begin_run("key", "sweep", {});
  EXPECT_THROW(store.begin_run("key", "sweep", {}), std::logic_error);
  StepRecord keyless = step(1);
  keyless.key.clear();
  EXPECT_THROW(store.add(keyless), std::logic_error);
  EXPECT_EQ(store.count(Kind::compile), 0);
}

TEST_F(RecordStoreTest, RunsOfOneCampaignAndHowTheyEnded) {
  std::vector<std::int64_t> runs;
  for (const char* how : {"pass", "", "interrupted"}) {
    RecordStore store = RecordStore::open(root(), true);
    runs.push_back(store.begin_run("sweep-key", "quickstart", {{"cases", 7}}));
    if (*how != '\0') store.end_run(how);
  }
  {
    RecordStore store = RecordStore::open(root(), true);
    runs.push_back(store.begin_run("other-key", "quickstart", {}));
  }
  EXPECT_THAT(runs, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(query(file(), "SELECT key, name, json_extract(plan, '$.cases') FROM campaigns"),
              ElementsAre("sweep-key|quickstart|7", "other-key|quickstart|NULL"));
  EXPECT_THAT(
      query(file(), "SELECT campaign, how, ended <> '' FROM runs ORDER BY id"),
      ElementsAre("sweep-key|pass|1", "sweep-key||0", "sweep-key|interrupted|1", "other-key||0"));
  EXPECT_THAT(query(file(), "SELECT pid, harness_version FROM runs WHERE id = 1"),
              ElementsAre(std::to_string(::getpid()) + "|" + harness_version()));
}

TEST_F(RecordStoreTest, FileSaysWhatItIs) {
  { RecordStore::open(root(), true); }
  EXPECT_THAT(query(file(), "PRAGMA user_version"), ElementsAre("2"));
  EXPECT_THAT(query(file(), "PRAGMA journal_mode"), ElementsAre("wal"));
  EXPECT_THAT(query(file(), "PRAGMA foreign_key_list(steps)"),
              ElementsAre(HasSubstr("|runs|run|id|")));
}

TEST_F(RecordStoreTest, SecondWriterIsToldWhoHoldsIt) {
  RecordStore store = open_for_writing();
  const std::string message = user_error([&] { RecordStore::open(root(), true); });
  EXPECT_THAT(message, HasSubstr(root().string()));
  EXPECT_THAT(message, HasSubstr("in use by process " + std::to_string(::getpid()) + ";"));
  EXPECT_THAT(message, HasSubstr("--store"));
  store.add(step(1));  // the first one is not disturbed
}

TEST_F(RecordStoreTest, LockEndsWithTheStore) {
  { RecordStore store = open_for_writing(); }
  RecordStore store = open_for_writing();
  RecordStore moved = std::move(store);
  EXPECT_THAT(user_error([&] { RecordStore::open(root(), true); }), HasSubstr("in use by"));
  moved.add(step(1));
}

TEST_F(RecordStoreTest, ReadersWorkBesideAWriter) {
  RecordStore writer = open_for_writing();
  writer.add(step(1));
  RecordStore reader = RecordStore::open(root(), false);
  RecordStore second = RecordStore::open(root(), false);
  EXPECT_EQ(reader.count(Kind::compile), 1);
  writer.add(step(2));
  EXPECT_EQ(reader.count(Kind::compile), 2);
  EXPECT_EQ(second.all(Kind::compile).size(), 2U);
  EXPECT_EQ(reader.integrity(), "");
}

TEST_F(RecordStoreTest, ReaderMayNotWrite) {
  { open_for_writing().add(step(1)); }
  RecordStore reader = RecordStore::open(root(), false);
  EXPECT_THROW(reader.begin_run("key", "sweep", {}), std::logic_error);
  EXPECT_THROW(reader.add(step(2)), std::logic_error);
  EXPECT_THROW(reader.forget(Kind::compile, "k1"), std::logic_error);
  EXPECT_EQ(reader.count(Kind::compile), 1);
}

TEST_F(RecordStoreTest, FindLeavesNoReadOpen) {
  // An unfinished read would keep the log from ever being folded into the file.
  RecordStore store = open_for_writing();
  store.add(step(1));
  EXPECT_TRUE(store.find(Kind::compile, "k1").has_value());
  EXPECT_EQ(store.count(Kind::compile), 1);
  EXPECT_THAT(query(file(), "PRAGMA wal_checkpoint(TRUNCATE)"), ElementsAre("0|0|0"));
}

TEST_F(RecordStoreTest, ManyOpenAtOnce) {
  // All of them find no store; one creates it, the others wait for it or read it.
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove_all(root());
    std::atomic<int> sound{0};
    std::latch start(8);
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
          start.arrive_and_wait();
          try {
            const RecordStore reader = RecordStore::open(root(), false);
            if (reader.count(Kind::race) == 0 && reader.integrity().empty()) ++sound;
          } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
          }
        });
    }
    EXPECT_EQ(sound, 8);
  }
}

TEST_F(RecordStoreTest, OneOfManyWritersWins) {
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(go[1]);
      char byte = 0;
      [[maybe_unused]] const ssize_t n = ::read(go[0], &byte, 1);  // until all are there
      int code = 2;
      try {
        RecordStore store = open_for_writing();
        for (int k = 0; k < 20; ++k) store.add(step(k));
        ::usleep(300000);
        code = 0;
      } catch (const UserError&) {
        code = 1;
      }
      ::_exit(code);
    }
    children.push_back(pid);
  }
  ::close(go[0]);
  ::close(go[1]);
  std::vector<int> codes;
  for (const pid_t pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  std::sort(codes.begin(), codes.end());
  EXPECT_THAT(codes, ElementsAre(0, 1, 1, 1, 1, 1));
  EXPECT_EQ(RecordStore::open(root(), false).count(Kind::compile), 20);
}

}  // namespace
}  // namespace fusetune
