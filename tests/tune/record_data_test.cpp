// Data of records that another program may have written: what a run would stumble over is refused.

#include "harness/tune/record_data.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "harness/measure/race.hpp"
#include "harness/tune/proved_variant.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune {
namespace {

using Kind = StepRecord::Kind;

StepRecord race_step(const std::function<void(RaceResult&)>& change = [](RaceResult&) {}) {
  RaceResult result;
  result.data = "hot";
  for (std::int32_t arm = 0; arm < 2; ++arm) result.samples.push_back({arm, 0, 0, 10, 1.5});
  result.probe_us = {1.5, 9};
  result.dropped = {1};
  change(result);
  StepRecord step;
  step.kind = Kind::race;
  step.subject = "case | host-w64";
  step.data = {{"arms", {"a", "b"}},
               {"budget_s", 1.0},
               {"memory", {nullptr, {{"segments_32", 1}, {"bank_passes", 0}}}},
               {"classes", {"", ""}},
               {"provenance",
                {{"harness_version", "0"}, {"compiler", "c"}, {"sweep", "s"}, {"conditions", {}}}},
               {"result", to_json(result)}};
  return step;
}

StepRecord traffic_step(std::int64_t lanes) {
  TracedTraffic traffic;
  traffic.sites.emplace_back().lanes = lanes;
  StepRecord step;
  step.kind = Kind::traffic;
  step.data = {{"traffic", to_json(traffic)}};
  return step;
}

TEST(RecordData, OfOwnRecordsIsRight) {
  check_record_data(race_step());
  check_record_data(traffic_step(7));
  StepRecord step;
  step.kind = Kind::compile;
  step.data = {{"facts", to_json(CodeFacts{})}};
  check_record_data(step);
  step.kind = Kind::proof;
  step.data = data_of(ProvedVariant{});
  check_record_data(step);
}

TEST(RecordData, EveryFieldOfARaceIsNeeded) {
  const StepRecord whole = race_step();
  for (const auto& [name, value] : whole.data.items()) {
    if (name == "memory" || name == "classes") continue;
    StepRecord step = whole;
    step.data.erase(name);
    EXPECT_THROW(check_record_data(step), std::exception) << name;
  }
  for (const auto& [name, value] : whole.data["provenance"].items()) {
    StepRecord step = whole;
    step.data["provenance"].erase(name);
    EXPECT_THROW(check_record_data(step), std::exception) << name;
  }
  StepRecord elsewhere = whole;
  elsewhere.subject = "case";
  EXPECT_THROW(check_record_data(elsewhere), std::invalid_argument);
}

TEST(RecordData, ArmsOfARaceAreItsOwn) {
  const std::vector<std::function<void(RaceResult&)>> changes{
      [](RaceResult& race) { race.samples[0].arm = 2; },
      [](RaceResult& race) { race.samples[0].arm = -1; },
      [](RaceResult& race) { race.samples[0].us = 0; },
      [](RaceResult& race) { race.dropped = {2}; },
      [](RaceResult& race) { race.probe_us = {1}; },
      [](RaceResult& race) { race.probe_us.push_back(1); },
      [](RaceResult& race) { race.failed_arm = 2; },
      [](RaceResult& race) {
        race.disproved.push_back({2, {}});
      },
      [](RaceResult& race) { race.data = "warm"; },
      [](RaceResult& race) { race.outcome.status = Status::launch_error; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i)
    EXPECT_THROW(check_record_data(race_step(changes[i])), std::invalid_argument) << i;
  StepRecord step = race_step();
  step.data["classes"] = {"a"};
  EXPECT_THROW(check_record_data(step), std::invalid_argument);
  step = race_step();
  step.data["memory"][1].erase("segments_32");
  EXPECT_THROW(check_record_data(step), std::exception);
}

TEST(RecordData, CountsOfTrafficCanBeSummed) {
  EXPECT_THROW(check_record_data(traffic_step(-1)), std::invalid_argument);
  EXPECT_THROW(check_record_data(traffic_step(std::int64_t{1} << 60)), std::invalid_argument);
}

}  // namespace
}  // namespace fusetune
