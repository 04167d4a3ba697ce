// Records to a file, back, and into other stores; files that no fusetune wrote.

#include "harness/store/record_file.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "tests/store/store_fixture.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;
using Kind = StepRecord::Kind;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void accept(const StepRecord&) {}

class RecordFile : public StoreTest {
 protected:
  fs::path exported() const { return folder_ / "records.jsonl"; }
  RecordSet some_records() const {
    RecordStore store = open_for_writing();
    store.add(step(1));
    store.add(step(2, Kind::race));
    store.add_death(worker_death());
    return store.everything();
  }
  RecordSet read(const std::string& text) const {
    std::ofstream(exported(), std::ios::binary) << text;
    return records_from_file(exported(), accept);
  }
  std::string refusal(const std::string& text) const {
    return user_error([&] { (void)read(text); });
  }
  /// A store of its own beside the fixture's.
  RecordStore other(const std::string& name, const Json& data) const {
    RecordStore store = RecordStore::open(folder_ / name, true);
    store.begin_run("otherkey", "other sweep", {});
    StepRecord record = step(1);
    record.data = data;
    store.add(record);
    return store;
  }
};

/// A line as records_text would write it, with a checksum that fits, and a header before it.
std::string forged(const std::string& body) {
  const auto sealed = [](Json line) {
    line["checksum"] = hash_hex(line.dump());
    return line.dump() + "\n";
  };
  std::string rest =
      sealed({{"record", "campaign"}, {"key", "c"}, {"name", "n"}, {"plan", {}}, {"created", ""}}) +
      sealed({{"record", "run"},
              {"uid", "r"},
              {"campaign", "c"},
              {"pid", 1},
              {"started", ""},
              {"harness_version", ""},
              {"ended", ""},
              {"how", ""}}) +
      (body.empty() ? "" : sealed(Json::parse(body)));
  return sealed({{"fusetune_records", 1},
                 {"harness_version", "0"},
                 {"lines", std::count(rest.begin(), rest.end(), '\n')},
                 {"rest", hash_hex(rest)}}) +
         rest;
}

Json step_line() {
  return {{"record", "step"}, {"kind", "race"}, {"key", "k1"}, {"subject", "s"},
          {"status", "ok"},   {"message", ""},  {"data", {}},  {"wall_ms", 1.5},
          {"run", "r"},       {"finished", ""}};
}

TEST_F(RecordFile, ComesBackAsItWas) {
  const RecordSet set = some_records();
  const std::string text = records_text(set);
  const RecordSet back = read(text);
  EXPECT_EQ(records_text(back), text);
  ASSERT_EQ(back.steps.size(), 2U);
  EXPECT_EQ(back.steps[1].kind, Kind::race);
  EXPECT_EQ(back.steps[0].data, set.steps[0].data);
  EXPECT_EQ(back.deaths.at(0).last_output, "stack smashed");
  EXPECT_EQ(back.campaigns.at(0).plan, Json({{"cases", 3}}));
}

TEST_F(RecordFile, MergesOnce) {
  const RecordSet set = some_records();
  RecordStore store = other("other", Json{{"i", 1}, {"samples_us", {1.5, 2.25}}});
  const auto first = store.merge({{"file", set}});
  EXPECT_EQ(first.steps, 1);
  EXPECT_EQ(first.known, 1) << "the same step of another run";
  EXPECT_EQ(first.runs, 1);
  EXPECT_EQ(first.deaths, 1);
  const auto again = store.merge({{"file", set}});
  EXPECT_EQ(again.steps + again.runs + again.deaths, 0);
  EXPECT_EQ(store.count(Kind::race), 1);
  EXPECT_EQ(store.integrity(), "");
  const RecordSet all = store.everything();
  EXPECT_EQ(all.steps.size(), 2U);
  EXPECT_EQ(all.runs.size(), 2U);
  EXPECT_EQ(all.steps[1].run, all.runs[1].id);
}

TEST_F(RecordFile, AConflictNamesBothAndNothingIsMerged) {
  const RecordSet set = some_records();
  RecordStore store = other("other", Json{{"i", "another"}});
  const auto merged = store.merge({{"the file", set}});
  EXPECT_THAT(merged.conflicts,
              ElementsAre(AllOf(HasSubstr("compile step 'k1'"), HasSubstr("the file"),
                                HasSubstr((folder_ / "other").string()))));
  EXPECT_EQ(store.count(Kind::race), 0);
  EXPECT_EQ(store.everything().runs.size(), 1U);
  // Between two of the files as well.
  RecordSet changed = set;
  changed.steps[1].status = Status::worker_lost;
  RecordStore third = RecordStore::open(folder_ / "third", true);
  const auto two = third.merge({{"one", set}, {"two", changed}});
  EXPECT_THAT(two.conflicts, ElementsAre(AllOf(HasSubstr("race step 'k2'"), HasSubstr("one"),
                                               HasSubstr("two differ"))));
  EXPECT_EQ(third.everything().steps.size(), 0U);
}

TEST_F(RecordFile, WhatComesInReplacesDamagedRows) {
  const RecordSet set = some_records();
  const std::string before = records_text(set);
  change("UPDATE campaigns SET name = 'other'");
  change("UPDATE runs SET harness_version = '9'");
  change("UPDATE steps SET message = 'x' WHERE key = 'k1'");
  RecordStore store = RecordStore::open(root(), true);
  const auto merged = store.merge({{"file", set}});
  EXPECT_THAT(merged.conflicts, IsEmpty());
  EXPECT_EQ(merged.steps, 1);
  store.on_damage([](const std::string& what) { ADD_FAILURE() << what; });
  RecordSet mended = store.everything();
  std::swap(mended.steps.at(0), mended.steps.at(1));  // the mended one was added last
  EXPECT_EQ(records_text(mended), before);
}

TEST_F(RecordFile, ARunThatIsAnotherIsAConflict) {
  const RecordSet set = some_records();
  RecordStore store = RecordStore::open(root(), true);
  store.on_damage([](const std::string& what) { ADD_FAILURE() << what; });
  RecordSet ended = set;
  ended.runs[0].ended = "2030";
  ended.runs[0].how = "finished";
  RecordSet other = ended;
  other.runs[0].pid += 1;
  EXPECT_THAT(store.merge({{"the file", other}}).conflicts,
              ElementsAre(AllOf(HasSubstr("run '" + set.runs[0].uid), HasSubstr("the file"))));
  EXPECT_EQ(records_text(store.everything()), records_text(set));
  // A copy that knows its end is the same run.
  EXPECT_THAT(store.merge({{"the file", ended}}).conflicts, IsEmpty());
  EXPECT_EQ(records_text(store.everything()), records_text(ended));
  EXPECT_THAT(store.merge({{"an older copy", set}}).conflicts, IsEmpty());
  EXPECT_EQ(store.everything().runs.at(0).how, "finished");
  ended.runs[0].how = "failed";
  EXPECT_EQ(store.merge({{"the file", ended}}).conflicts.size(), 1U);
}

TEST_F(RecordFile, ConflictsOfTwoFilesNameTheFiles) {
  RecordSet one;
  one.campaigns.push_back({"c", "sweep", {{"cases", 1}}, ""});
  RecordSet two = one;
  two.campaigns[0].plan = {{"cases", 2}};
  RecordStore store = RecordStore::open(root(), true);
  EXPECT_THAT(store.merge({{"one", one}, {"two", two}}).conflicts,
              ElementsAre(AllOf(HasSubstr("campaign 'c'"), HasSubstr("one and two differ"))));
  // One that was lost with its row is known again.
  RecordSet lost = one;
  lost.campaigns[0].name = "lost";
  lost.campaigns[0].plan = nullptr;
  EXPECT_THAT(store.merge({{"lost", lost}, {"two", two}}).conflicts, IsEmpty());
  EXPECT_EQ(store.everything().campaigns.at(0).plan, Json({{"cases", 2}}));
}

TEST_F(RecordFile, DeathsOfOneMomentAreAllKept) {
  RecordSet set = some_records();
  set.deaths.push_back(set.deaths[0]);
  set.deaths.back().subject = "another case";
  RecordStore store = RecordStore::open(root(), true);
  EXPECT_EQ(store.merge({{"file", set}}).deaths, 1);
  EXPECT_EQ(store.merge({{"file", set}}).deaths, 0);
  EXPECT_EQ(store.everything().deaths.size(), 2U);
}

TEST_F(RecordFile, EveryFlippedBitIsNoticed) {
  const std::string text = records_text(some_records());
  for (std::size_t bit = 0; bit < 8 * text.size(); bit += 13) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(refusal(damaged), HasSubstr("records.jsonl:")) << bit;
  }
  for (std::size_t size = 0; size < text.size(); size += 97)
    EXPECT_THAT(refusal(text.substr(0, size)), HasSubstr("records.jsonl:")) << size;
}

TEST_F(RecordFile, ForgedLinesAreRefusedOneByOne) {
  EXPECT_EQ(read(forged("")).runs.size(), 1U);
  EXPECT_EQ(read(forged(step_line().dump())).steps.size(), 1U);
  const auto with = [](const char* name, const Json& value) {
    Json line = step_line();
    line[name] = value;
    return forged(line.dump());
  };
  EXPECT_THAT(refusal(with("key", "../../etc/passwd")), HasSubstr("'key' is no key"));
  EXPECT_THAT(refusal(with("key", std::string(500, 'a'))), HasSubstr("'key' is no key"));
  EXPECT_THAT(refusal(with("kind", "recipe")), HasSubstr("recipe"));
  EXPECT_THAT(refusal(with("status", "splendid")), HasSubstr("status"));
  EXPECT_THAT(refusal(with("run", "unknown")), HasSubstr("run"));
  for (const Json& wrong : {Json("1"), Json(1), Json(-1.5), Json(-0.0)})
    EXPECT_THAT(refusal(with("wall_ms", wrong)), HasSubstr("'wall_ms' is no duration")) << wrong;
  EXPECT_THAT(refusal(with("message", 7)), HasSubstr("message"));
  EXPECT_THAT(refusal(with("subject", "case\nproof 1 ok")), HasSubstr("more than a line"));
  EXPECT_THAT(refusal(with("finished", "\x1b[2J")), HasSubstr("more than a line"));
  EXPECT_THAT(refusal(with("more", 7)), HasSubstr("'more' is not known"));
  EXPECT_THAT(refusal(with("record", "song")), HasSubstr("no record"));
  Json deep = 1;
  for (int i = 0; i < 40; ++i) deep = Json::array({deep});
  EXPECT_THAT(refusal(with("data", deep)), HasSubstr("too deeply"));
  std::string twice = forged(step_line().dump());
  EXPECT_THAT(refusal(twice + twice.substr(twice.rfind("{\"checksum", twice.size() - 2))),
              HasSubstr("damaged"));
}

TEST_F(RecordFile, DataThatItsKindDoesNotHaveIsRefused) {
  std::ofstream(exported(), std::ios::binary) << forged(step_line().dump());
  EXPECT_THAT(user_error([&] {
                (void)records_from_file(
                    exported(), [](const StepRecord& step) { (void)step.data.at("result"); });
              }),
              AllOf(HasSubstr("records.jsonl:4"), HasSubstr("at()")));
  EXPECT_THAT(user_error([&] { (void)records_from_file(folder_.path(), accept); }),
              HasSubstr("no file of records"));
}

}  // namespace
}  // namespace fusetune
