// What a store survives, and what it says of what it does not.

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "harness/base/files.hpp"
#include "harness/store/schema.hpp"
#include "tests/store/store_fixture.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using Kind = StepRecord::Kind;
using testing::AllOf;
using testing::HasSubstr;

class StoreFaults : public StoreTest {
 protected:
  void write_file(const std::string& content) const {
    fs::create_directories(root());
    std::ofstream(file(), std::ios::binary) << content;
  }
  std::string open_error(bool exclusive = true) const {
    return user_error([&] { RecordStore::open(root(), exclusive); });
  }
};

/// What a child printed to its pipe and how it ended; `act` runs in the child.
template <typename Act>
std::string in_child(Act act) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::string report;
    try {
      report = act();
    } catch (const std::exception& error) {
      report = std::string("exception: ") + error.what();
    }
    [[maybe_unused]] const ssize_t n = ::write(ends[1], report.data(), report.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string report;
  char block[4096];
  for (ssize_t n = 0; (n = ::read(ends[0], block, sizeof block)) > 0;)
    report.append(block, static_cast<std::size_t>(n));
  ::close(ends[0]);
  ::waitpid(pid, nullptr, 0);
  return report;
}

TEST_F(StoreFaults, KillNineLeavesAPrefix) {
  int total = 0;
  for (const int enough : {1, 20, 60}) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t writer = ::fork();
    if (writer == 0) {
      RecordStore store = open_for_writing();
      for (int i = total;; ++i) {
        StepRecord record = step(i);
        record.data["padding"] = std::string(20000, 'p');
        store.add(record);
        [[maybe_unused]] const ssize_t n = ::write(ends[1], "+", 1);
      }
    }
    ::close(ends[1]);
    int reported = 0;
    char byte = 0;
    while (reported < enough && ::read(ends[0], &byte, 1) == 1) ++reported;
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
    while (::read(ends[0], &byte, 1) == 1) ++reported;  // those before the kill
    ::close(ends[0]);

    RecordStore store = RecordStore::open(root(), true);
    EXPECT_EQ(store.integrity(), "");
    const auto steps = store.all(Kind::compile);
    const int found = static_cast<int>(steps.size());
    EXPECT_GE(found, total + reported);      // what was reported as done is there
    EXPECT_LE(found, total + reported + 1);  // and at most the one that was being reported
    for (int i = 0; i < found; ++i) {
      const StepRecord& record = steps[static_cast<std::size_t>(i)];
      EXPECT_EQ(record.key, "k" + std::to_string(i));
      EXPECT_EQ(record.data["padding"].get<std::string>().size(), 20000U);
    }
    total = found;
  }
}

TEST_F(StoreFaults, KillNineWhileItIsCreatedOpensAgain) {
  for (int delay_us = 0; delay_us < 4000; delay_us += 250) {
    fs::remove_all(root());
    const pid_t creator = ::fork();
    if (creator == 0) {
      RecordStore store = open_for_writing();
      ::pause();
    }
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(creator, SIGKILL);
    ::waitpid(creator, nullptr, 0);
    RecordStore store = open_for_writing();
    store.add(step(1));
    EXPECT_EQ(store.integrity(), "");
  }
}

TEST_F(StoreFaults, ReaderOfAKilledWritersStore) {
  const pid_t writer = ::fork();
  if (writer == 0) {
    RecordStore store = open_for_writing();
    for (int i = 0; i < 5; ++i) store.add(step(i));
    ::raise(SIGKILL);
  }
  ::waitpid(writer, nullptr, 0);
  EXPECT_EQ(RecordStore::open(root(), false).count(Kind::compile), 5);
}

/// Makes the tables from another connection when the statement that has `before` begins.
struct Maker {
  const std::filesystem::path& file;
  std::string before;
  bool made = false;

  static int look(unsigned, void* self, void*, void* sql) {
    Maker& maker = *static_cast<Maker*>(self);
    if (maker.made ||
        std::string(static_cast<const char*>(sql)).find(maker.before) == std::string::npos)
      return 0;
    maker.made = true;
    sqlite::Database other(maker.file, sqlite::Database::Mode::read_write_create);
    sqlite::Transaction transaction(other);
    create_tables(other);
    transaction.commit();
    return 0;
  }
};

TEST_F(StoreFaults, TablesThatAreMadeMeanwhileAreNoStrangers) {
  for (const char* before : {"user_version", "application_id", "sqlite_schema"}) {
    fs::remove_all(root());
    fs::create_directories(root());
    change("PRAGMA journal_mode = WAL");
    const fs::path path = file();
    sqlite::Database reader(path, sqlite::Database::Mode::read_only);
    Maker maker{path, before};
    sqlite3_trace_v2(reader.handle(), SQLITE_TRACE_STMT, Maker::look, &maker);
    EXPECT_THAT(schema_version(reader), testing::AnyOf(0, kSchemaVersion)) << before;
    EXPECT_TRUE(maker.made);
    EXPECT_EQ(schema_version(reader), kSchemaVersion);
  }
}

TEST_F(StoreFaults, NewerSchemaIsLeftAlone) {
  { open_for_writing().add(step(1)); }
  change("PRAGMA user_version = 3");
  for (const bool exclusive : {true, false})
    EXPECT_THAT(open_error(exclusive), AllOf(HasSubstr(file().string()), HasSubstr("version 3"),
                                             HasSubstr("update fusetune")));
  change("PRAGMA user_version = 2");
  EXPECT_EQ(RecordStore::open(root(), true).count(Kind::compile), 1);
}

TEST_F(StoreFaults, FileThatIsNoDatabase) {
  const std::string text(5000, '#');
  write_file(text);
  for (const bool exclusive : {true, false})
    EXPECT_THAT(
        open_error(exclusive),
        AllOf(HasSubstr(file().string()), HasSubstr("no record store"), HasSubstr("move it away")));
  EXPECT_EQ(read_file(file()), text);
}

TEST_F(StoreFaults, DatabaseOfAnotherProgramIsNotTouched) {
  fs::create_directories(root());
  change("CREATE TABLE songs (title TEXT)");
  const std::string before = read_file(file());
  EXPECT_THAT(open_error(), AllOf(HasSubstr(file().string()), HasSubstr("no record store")));
  EXPECT_EQ(read_file(file()), before);
}

TEST_F(StoreFaults, TruncatedFile) {
  {
    RecordStore store = open_for_writing();
    for (int i = 0; i < 200; ++i) store.add(step(i));
  }
  const auto size = fs::file_size(file());
  for (const std::uintmax_t kept : {size - 4096, size / 2, std::uintmax_t{700}}) {
    fs::resize_file(file(), kept);
    for (const bool exclusive : {true, false})
      EXPECT_THAT(open_error(exclusive),
                  AllOf(HasSubstr(file().string()), HasSubstr("damaged"), HasSubstr("restore")))
          << kept;
  }
}

TEST_F(StoreFaults, DamageToAPageIsRefusedWithWhatToDo) {
  {
    RecordStore store = open_for_writing();
    for (int i = 0; i < 200; ++i) store.add(step(i));
    EXPECT_EQ(store.integrity(), "");
  }
  std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(fs::file_size(file()) / 4096 / 2 * 4096));
  stream << std::string(4096, '\x5a');
  stream.close();
  for (const bool exclusive : {true, false})
    EXPECT_THAT(open_error(exclusive), AllOf(HasSubstr(file().string()), HasSubstr("damaged"),
                                             HasSubstr("records export --salvage")));
  std::vector<std::string> left_out;
  const RecordSet saved =
      salvage_records(root(), [&](const std::string& what) { left_out.push_back(what); });
  EXPECT_GT(saved.steps.size(), 50U);
  EXPECT_LT(saved.steps.size(), 200U);
  EXPECT_THAT(left_out, testing::ElementsAre(HasSubstr("cannot be read")));
}

TEST_F(StoreFaults, RootThatIsAFile) {
  std::ofstream(root()) << "not a folder";
  EXPECT_THAT(open_error(), AllOf(HasSubstr(root().string()), HasSubstr("--store")));
}

TEST_F(StoreFaults, ReadOnlyFolderAndFile) {
  { open_for_writing().add(step(1)); }
  ::chmod(folder_.path().c_str(), 0755);
  // Permissions do not bind root, so this runs as somebody else.
  const auto as_nobody = [&](const fs::path& store_root) {
    return in_child([&]() -> std::string {
      if (::geteuid() == 0 && ::setuid(65534) != 0) return "skip";
      RecordStore::open(store_root, true);
      return "opened";
    });
  };
  ::chmod(file().c_str(), 0444);
  ::chmod((root() / "lock").c_str(), 0666);
  ::chmod(root().c_str(), 0777);
  const std::string read_only_file = as_nobody(root());
  if (read_only_file == "skip") GTEST_SKIP() << "cannot become another user";
  EXPECT_THAT(read_only_file,
              AllOf(HasSubstr("exception"), HasSubstr(file().string()), HasSubstr("writable")));
  ::chmod((root() / "lock").c_str(), 0444);
  ::chmod(root().c_str(), 0555);
  EXPECT_THAT(as_nobody(root()), AllOf(HasSubstr(root().string()), HasSubstr("Permission denied"),
                                       HasSubstr("--store")));
  ::chmod(folder_.path().c_str(), 0555);
  EXPECT_THAT(as_nobody(folder_ / "new"),
              AllOf(HasSubstr((folder_ / "new").string()), HasSubstr("Permission denied")));
  ::chmod(folder_.path().c_str(), 0755);
  ::chmod(root().c_str(), 0755);
}

/// Adds steps until the disk refuses; says how many are there then, and that the store is sound.
std::string fill(const fs::path& root) {
  int added = 0;
  std::string message = "never refused";
  RecordStore store = RecordStore::open(root, true);
  store.begin_run("key", "sweep", {});
  try {
    for (; added < 1000; ++added) {
      StepRecord record;
      record.key = "k" + std::to_string(added);
      record.data = std::string(10000, 'p');
      store.add(record);
    }
  } catch (const UserError& error) {
    message = error.what();
  }
  const auto found = store.count(Kind::compile);
  return message + (found == added ? "; all kept" : "; LOST") +
         (store.integrity().empty() ? "; sound" : "; " + store.integrity());
}

TEST_F(StoreFaults, FullDisk) {
  fs::create_directories(root());
  const std::string report = in_child([&]() -> std::string {
    // A mount namespace of its own: the mount ends with the child.
    if (::unshare(CLONE_NEWNS) != 0) return "skip";
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=600k") != 0) return "skip";
    std::string filled = fill(root());
    const RecordStore again = RecordStore::open(root(), false);
    return filled + (again.count(Kind::compile) > 5 ? "; opens again" : "; too few");
  });
  if (report == "skip") GTEST_SKIP() << "mounting a small file system is not permitted here";
  EXPECT_THAT(report, AllOf(HasSubstr(file().string()), HasSubstr("the disk is full"),
                            HasSubstr("free space"), HasSubstr("all kept; sound; opens again")));
}

TEST_F(StoreFaults, FullDiskAtCreation) {
  fs::create_directories(root());
  const std::string report = in_child([&]() -> std::string {
    if (::unshare(CLONE_NEWNS) != 0) return "skip";
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    if (::mount("tmpfs", root().c_str(), "tmpfs", 0, "size=16k") != 0) return "skip";
    RecordStore::open(root(), true);
    return "opened";
  });
  if (report == "skip") GTEST_SKIP() << "mounting a small file system is not permitted here";
  EXPECT_THAT(report, AllOf(HasSubstr("exception"), HasSubstr(file().string()),
                            HasSubstr("the disk is full")));
}

TEST_F(StoreFaults, RefusedCreationLeavesNothingHalfMade) {
  int refused = 0;
  // From less than SQLite's shared memory needs to more than all tables take.
  for (rlim_t bytes = 8192; bytes < 150000; bytes += 4096) {
    fs::remove_all(root());
    const std::string report = in_child([&]() -> std::string {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{bytes, bytes};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      RecordStore::open(root(), true);
      return "created";
    });
    if (report != "created") ++refused;
    RecordStore store = open_for_writing();
    store.add(step(1));
    EXPECT_EQ(store.integrity(), "") << bytes;
  }
  EXPECT_GT(refused, 5);
}

TEST_F(StoreFaults, RefusedWriteIsAUserErrorAndLosesNothing) {
  const std::string report = in_child([&]() -> std::string {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{400000, 400000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    return fill(root());
  });
  EXPECT_THAT(report, AllOf(HasSubstr("cannot read or write " + file().string()),
                            HasSubstr("check the disk"), HasSubstr("all kept; sound")));
  EXPECT_GT(RecordStore::open(root(), true).count(Kind::compile), 5);
}

}  // namespace
}  // namespace fusetune
