// A store of schema version 1, made by the fusetune that wrote it, read by this one.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/store/store_fixture.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using Kind = StepRecord::Kind;
using testing::AllOf;
using testing::HasSubstr;

class StoreMigration : public StoreTest {
 protected:
  void SetUp() override { bring_old(); }
  void bring_old() const {
    fs::remove_all(root());
    fs::create_directories(root());
    fs::copy(FUSETUNE_TESTS_DIR "/store/documents/version1.sqlite", file());
  }
};

TEST_F(StoreMigration, EverythingIsKept) {
  for (const bool exclusive : {true, false}) {
    bring_old();
    const RecordStore store = RecordStore::open(root(), exclusive);
    EXPECT_EQ(store.integrity(), "");
    EXPECT_EQ(store.count(Kind::compile), 6);
    EXPECT_EQ(store.count(Kind::proof), 3);
    EXPECT_EQ(store.count(Kind::traffic), 3);
    const auto race = store.find(Kind::race, "ca36019289c4bb99d036090f026da518");
    ASSERT_TRUE(race.has_value());
    EXPECT_THAT(race->subject, HasSubstr("split_reshape_cat(act=bf16"));
    EXPECT_EQ(race->data.at("result").at("status"), "ok");
    EXPECT_EQ(race->run, 1);
    const RecordSet set = store.everything();
    EXPECT_EQ(set.steps.size(), 13U);
    EXPECT_EQ(set.steps.front().finished.substr(0, 4), "2026");
    ASSERT_EQ(set.runs.size(), 1U);
    EXPECT_EQ(set.runs[0].how, "finished");
    ASSERT_EQ(set.campaigns.size(), 1U);
    EXPECT_EQ(set.campaigns[0].key, set.runs[0].campaign);
    EXPECT_EQ(set.campaigns[0].name, "version1");
  }
}

TEST_F(StoreMigration, TwoCopiesMergeIntoOne) {
  const RecordSet first = RecordStore::open(root(), false).everything();
  bring_old();
  RecordStore second = RecordStore::open(root(), true);
  const auto merged = second.merge({{"the other copy", first}});
  EXPECT_EQ(merged.runs + merged.steps, 0);
  EXPECT_EQ(merged.known, 13);
}

TEST_F(StoreMigration, AKillLeavesTheOldOrTheNew) {
  for (int delay_us = 0; delay_us < 12000; delay_us += 500) {
    bring_old();
    const pid_t child = ::fork();
    if (child == 0) {
      const RecordStore store = RecordStore::open(root(), true);
      ::pause();
    }
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const RecordStore store = RecordStore::open(root(), true);
    ASSERT_EQ(store.integrity(), "");
    ASSERT_EQ(store.everything().steps.size(), 13U) << delay_us;
  }
}

TEST_F(StoreMigration, ADamagedOldFileIsRefusedAndLeftAlone) {
  fs::resize_file(file(), fs::file_size(file()) - 4096);
  const auto size = fs::file_size(file());
  EXPECT_THAT(user_error([&] { RecordStore::open(root(), true); }),
              AllOf(HasSubstr(file().string()), HasSubstr("damaged")));
  EXPECT_EQ(fs::file_size(file()), size);
}

}  // namespace
}  // namespace fusetune
