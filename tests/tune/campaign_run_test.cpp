// The order of events of a campaign, with workers that follow a script.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/tune/campaign.hpp"
#include "harness/tune/case_plan.hpp"
#include "tests/tune/scripted_worker.hpp"

namespace fusetune::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;

constexpr const char* kFirst = "split_reshape_cat(nk=2,nv=4,tokens=8)";
constexpr const char* kSecond = "split_reshape_cat(nk=2,nv=6,tokens=8)";

/// One campaign over two geometries, in a folder of its own.
class Scripted {
 public:
  explicit Scripted(const std::string& target) {
    plan_ = plan_of_cases({parse_case_key(kFirst), parse_case_key(kSecond)}, parse_space("full"),
                          "host-w64");
    // Two axes are enough: all block sizes, with the non-temporal hint and without.
    for (PlannedGeometry& geometry : plan_.geometries)
      std::erase_if(geometry.variants, [](const Variant& variant) {
        const std::string axes = to_string(variant.axes);
        return variant.implementation == "fused" &&
               (axes.find("mapping=row") == std::string::npos ||
                axes.find("persistent=off") == std::string::npos ||
                axes.find("rows_per_iter=1") == std::string::npos ||
                axes.find("vector_bytes=16") == std::string::npos);
      });
    plan_.sweep.name = "scripted";
    plan_.sweep.measure.data = "hot";
    plan_.target = parse_target(target);
    device_.name = "scripted";
    device_.target = plan_.target;
    device_.conditions = Json::object();
    ::setenv(kScriptLog, (folder_ / "log").c_str(), 1);
    ::setenv(kScriptSeed, "0", 1);
    ::setenv(kScriptHold, "", 1);
  }

  Campaign run(int jobs) {
    RecordStore records = RecordStore::open(folder_ / "store", true);
    records.begin_run("scripted", "scripted", Json::object());
    CodeStore code(folder_ / "store");
    SilentProgress progress;
    EngineOptions options;
    options.store = folder_ / "store";
    options.results = folder_ / "results";
    options.jobs = jobs;
    Session session{records, code, progress, options, [] { return false; }};
    Campaign campaign = tune_campaign(plan_, device_, session);
    for (const auto kind : {StepRecord::Kind::compile, StepRecord::Kind::proof,
                            StepRecord::Kind::race, StepRecord::Kind::traffic})
      for (const StepRecord& step : records.all(kind))
        steps_.insert(std::string(to_string(kind)) + " " + step.key + " " +
                      std::string(to_string(step.status)));
    return campaign;
  }

  /// Takes an arm out of every race on record.
  void forge_races() const {
    RecordStore records = RecordStore::open(folder_ / "store", true);
    records.begin_run("scripted", "scripted", Json::object());
    for (StepRecord step : records.all(StepRecord::Kind::race)) {
      step.data["arms"].erase(step.data["arms"].size() - 1);
      records.forget(step.kind, step.key);
      records.add(step);
    }
  }

  std::vector<std::string> log() const {
    std::vector<std::string> lines;
    std::ifstream stream(folder_ / "log");
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  /// Sorts of jobs that ran while some job of this sort did.
  std::set<std::string> beside(const std::string& sort) const {
    std::multiset<std::string> running;
    std::set<std::string> found;
    for (const std::string& line : log()) {
      const std::size_t first = line.find(' ');
      const std::string what = line.substr(first + 1, line.find(' ', first + 1) - first - 1);
      if (line.starts_with("begin"))
        running.insert(what);
      else
        running.erase(running.find(what));
      if (running.count(sort) == 0) continue;
      for (const std::string& other : running)
        if (other != sort || running.count(sort) > 1) found.insert(other);
    }
    return found;
  }

  std::string table() const {
    return read_file(folder_ / "results" / "scripted" / "split_reshape_cat.yaml");
  }

  const std::set<std::string>& steps() const { return steps_; }

 private:
  TemporaryFolder folder_{"fusetune-campaign"};
  Plan plan_;
  DeviceProperties device_;
  std::set<std::string> steps_;
};

std::size_t place_of_last(const std::vector<std::string>& log, const std::string& begin) {
  std::size_t last = log.size();
  for (std::size_t i = 0; i < log.size(); ++i)
    if (log[i].starts_with(begin)) last = i;
  return last;
}

std::size_t place_of_first(const std::vector<std::string>& log, const std::string& begin) {
  const auto line = std::find_if(
      log.begin(), log.end(), [&begin](const std::string& one) { return one.starts_with(begin); });
  return static_cast<std::size_t>(line - log.begin());
}

TEST(CampaignRun, ElsewhereRacesRunWhileOthersCompile) {
  Scripted scripted("gfx90a");
  // The second geometry's code is ready after the first race: nobody may wait for it.
  ::setenv(kScriptHold, "FT_NV=6", 1);
  const Campaign campaign = scripted.run(2);
  EXPECT_EQ(campaign.races.measured, 2);
  const auto log = scripted.log();
  EXPECT_LT(place_of_first(log, "end race"), place_of_last(log, "end compile"));
  EXPECT_LT(place_of_first(log, "end proof"), place_of_last(log, "begin compile"));
  EXPECT_THAT(scripted.beside("race"), IsSupersetOf({"compile"}));
}

TEST(CampaignRun, OnTheHostNothingRunsBesideARace) {
  Scripted scripted("host-w64");
  ::setenv(kScriptSeed, "1", 1);
  const Campaign campaign = scripted.run(3);
  EXPECT_EQ(campaign.races.measured, 2);
  EXPECT_THAT(scripted.beside("race"), IsEmpty());
  const auto log = scripted.log();
  // Proofs began before the last compilation, and no race before anything else had ended.
  EXPECT_LT(place_of_first(log, "begin proof"), place_of_last(log, "end compile"));
  for (const char* sort : {"end compile", "end proof", "end trace"})
    EXPECT_LT(place_of_last(log, sort), place_of_first(log, "begin race")) << sort;
}

TEST(CampaignRun, RecordsAndTablesAreTheSameWhateverTheOrderOfEvents) {
  for (const char* target : {"host-w64", "gfx90a"}) {
    Scripted stage_by_stage(target);
    const Campaign expected = stage_by_stage.run(1);
    EXPECT_EQ(expected.races.measured, 2);
    EXPECT_GT(expected.proofs.shared, 0);
    std::set<std::vector<std::string>> orders{stage_by_stage.log()};
    for (const char* seed : {"1", "2", "3"}) {
      Scripted scripted(target);
      ::setenv(kScriptSeed, seed, 1);
      const Campaign campaign = scripted.run(3);
      EXPECT_EQ(scripted.steps(), stage_by_stage.steps()) << target << seed;
      EXPECT_EQ(scripted.table(), stage_by_stage.table()) << target << seed;
      EXPECT_EQ(campaign.proofs.proved, expected.proofs.proved);
      EXPECT_EQ(campaign.proofs.shared, expected.proofs.shared);
      EXPECT_EQ(campaign.failures.size(), expected.failures.size());
      orders.insert(scripted.log());
    }
    EXPECT_EQ(orders.size(), 4U) << "the seeds changed no order: nothing was shown";
  }
}

TEST(CampaignRun, ASecondRunDoesNothing) {
  Scripted scripted("gfx90a");
  scripted.run(2);
  const std::size_t jobs = scripted.log().size();
  const std::string table = scripted.table();
  const Campaign again = scripted.run(2);
  EXPECT_FALSE(again.did_work());
  EXPECT_EQ(scripted.log().size(), jobs);
  EXPECT_EQ(scripted.table(), table);
}

TEST(CampaignRun, ARaceOfOtherArmsIsRunAgain) {
  Scripted scripted("gfx90a");
  scripted.run(2);
  const std::string table = scripted.table();
  scripted.forge_races();
  EXPECT_EQ(scripted.run(2).races.measured, 2);
  EXPECT_EQ(scripted.table(), table);
}

TEST(CampaignRun, AxesThatChangeNoCodeAreNamed) {
  Scripted scripted("gfx90a");
  const Campaign campaign = scripted.run(2);
  std::vector<std::string> axes;
  for (const DeadAxis& axis : campaign.space.dead_axes)
    if (axis.implementation == "fused") axes.push_back(axis.axis);
  EXPECT_THAT(axes, ElementsAre("nontemporal"));
  ASSERT_EQ(campaign.space.codes.size(), 1U);
  EXPECT_LT(campaign.space.codes[0].distinct, campaign.space.codes[0].variants);
  EXPECT_EQ(campaign.space.codes[0].variants - campaign.space.codes[0].distinct,
            campaign.proofs.shared);
}

}  // namespace
}  // namespace fusetune::test
