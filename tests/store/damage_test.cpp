// A damaged row is named, never used, and its step can be done again.

#include <gmock/gmock.h>

#include "harness/store/record_file.hpp"
#include "tests/store/store_fixture.hpp"

namespace fusetune {
namespace {

using Kind = StepRecord::Kind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class StoreDamage : public StoreTest {
 protected:
  RecordStore open_told(bool exclusive) {
    RecordStore store = RecordStore::open(root(), exclusive);
    store.on_damage([this](const std::string& message) { told_.push_back(message); });
    return store;
  }

  std::vector<std::string> told_;
};

TEST_F(StoreDamage, AChangeOfAnyColumnIsFound) {
  { open_for_writing().add(step(1)); }
  // Each undone by the next line's fresh store.
  for (const char* column :
       {"kind = 'race'", "key = 'k2'", "subject = 'case'", "status = 'compile_error'",
        "status = 'splendid'", "message = 'x'", "data = '{}'", "data = '{'", "wall_ms = 7",
        "finished = '2020'", "checksum = 'x'"}) {
    std::filesystem::remove_all(root());
    { open_for_writing().add(step(1)); }
    change(std::string("UPDATE steps SET ") + column);
    told_.clear();
    const RecordStore store = open_told(false);
    std::size_t found = 0;
    for (const Kind kind : step_kinds()) found += store.all(kind).size();
    EXPECT_EQ(found, 0U) << column;
    EXPECT_THAT(told_, ElementsAre(AllOf(HasSubstr(file().string()), HasSubstr("step 'k"),
                                         HasSubstr("the next run does it again"))))
        << column;
  }
}

TEST_F(StoreDamage, ADamagedStepIsDoneAgain) {
  {
    RecordStore store = open_for_writing();
    store.add(step(1));
    store.add(step(2));
  }
  change("UPDATE steps SET message = 'x' WHERE key = 'k1'");
  RecordStore store = open_told(true);
  store.begin_run("key", "sweep", {});
  EXPECT_FALSE(store.find(Kind::compile, "k1").has_value());
  EXPECT_THAT(told_, ElementsAre(AllOf(HasSubstr("compile step 'k1'"), HasSubstr("done again"))));
  EXPECT_TRUE(store.find(Kind::compile, "k2").has_value());
  store.add(step(1));
  EXPECT_TRUE(store.find(Kind::compile, "k1").has_value());
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(StoreDamage, OtherRowsAreChecksummedAsWell) {
  {
    RecordStore store = open_for_writing();
    store.add_death(worker_death());
    EXPECT_EQ(store.everything().deaths.size(), 1U);
  }
  change("UPDATE worker_deaths SET signal = 9");
  change("UPDATE campaigns SET name = 'other'");
  change("UPDATE runs SET harness_version = '9'");
  const RecordSet set = open_told(false).everything();
  EXPECT_THAT(set.deaths, IsEmpty());
  EXPECT_THAT(set.runs, IsEmpty());
  EXPECT_THAT(told_, ElementsAre(HasSubstr("campaign 'key'"), HasSubstr("run 1 of 2"),
                                 HasSubstr("death of a device worker (case)")));
  // A campaign is known again once it runs again.
  RecordStore store = open_told(true);
  store.begin_run("key", "sweep", {{"cases", 3}});
  EXPECT_EQ(store.everything().campaigns.at(0).name, "sweep");
  EXPECT_EQ(store.integrity(), "");
}

TEST_F(StoreDamage, ADamagedRunLosesNoStep) {
  { open_for_writing().add(step(1)); }
  change("UPDATE runs SET harness_version = '9'");
  const RecordSet set = open_told(false).everything();
  ASSERT_EQ(set.steps.size(), 1U);
  ASSERT_EQ(set.runs.size(), 1U);
  EXPECT_EQ(set.runs[0].how, "lost");
  EXPECT_EQ(set.runs[0].id, set.steps[0].run);
}

TEST_F(StoreDamage, OtherTablesThanOursAreRefused) {
  { open_for_writing().add(step(1)); }
  change("CREATE TRIGGER sly AFTER INSERT ON steps BEGIN DELETE FROM steps; END");
  EXPECT_THAT(user_error([&] { RecordStore::open(root(), true); }),
              HasSubstr("not those that fusetune makes"));
}

TEST_F(StoreDamage, WithoutATableTheOthersAreSaved) {
  {
    RecordStore store = open_for_writing();
    store.add(step(1));
    store.add_death(worker_death());
  }
  const auto salvaged = [this] {
    told_.clear();
    return salvage_records(root(), [this](const std::string& what) { told_.push_back(what); });
  };
  change("DROP TABLE worker_deaths");
  EXPECT_EQ(salvaged().steps.size(), 1U);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("worker deaths")));
  change("DROP TABLE runs");
  const RecordSet set = salvaged();
  EXPECT_THAT(told_, ElementsAre(HasSubstr("runs"), HasSubstr("worker deaths")));
  EXPECT_EQ(set.steps.size(), 1U);
  EXPECT_EQ(set.runs.at(0).how, "lost");
}

TEST_F(StoreDamage, RowsThatAreReachedTwiceAreSavedOnce) {
  {
    RecordStore store = open_for_writing();
    store.add(step(1));
    store.add_death(worker_death());
  }
  for (const std::string table : {"campaigns", "runs", "steps", "worker_deaths"})
    change("ALTER TABLE " + table + " RENAME TO old; CREATE TABLE " + table +
           " AS SELECT * FROM old UNION ALL SELECT * FROM old; DROP TABLE old");
  const RecordSet set = salvage_records(root(), [](const std::string&) {});
  // A file of them is refused with anything twice.
  const RecordSet saved = parse_records(records_text(set), "saved", [](const StepRecord&) {});
  EXPECT_EQ(saved.runs.size() + saved.steps.size() + saved.deaths.size(), 3U);
}

TEST_F(StoreDamage, NamesOfDamagedRowsAreHarmless) {
  { open_for_writing().add(step(1)); }
  change("UPDATE steps SET subject = char(27) || ']0;x' || char(7)");
  (void)open_told(false).all(Kind::compile);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("(?]0;x?)")));
}

}  // namespace
}  // namespace fusetune
