// The protocol of asynchronous queues, on the simulated device.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "harness/measure/choose.hpp"
#include "harness/measure/ring.hpp"
#include "tests/measure/scripted_device.hpp"
#include "tests/measure/simulated_race.hpp"

namespace fusetune {
namespace {

using testing::arms_in;
using ::testing::Contains;
using testing::first_is_simplest;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::quiet_gpu;
using testing::SimulatedRace;

TEST(QueuedRace, ThePathFollowsTheTimeOfALaunch) {
  for (const auto& [us, path] : {std::pair(5.0, "graph"), {50.0, "stream"}, {800.0, "single"}}) {
    SimulatedRace set(quiet_gpu(), {us, 1.1 * us});
    const RaceResult result = set.run();
    ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
    EXPECT_EQ(result.path, path);
    for (const Sample& sample : result.samples) {
      EXPECT_NEAR(sample.us, us * (sample.arm == 0 ? 1 : 1.1), 0.6 + 0.02 * us) << path;
      EXPECT_GE(sample.short_us + (sample.short_us == 0 ? 3 * us : 0), 1000 * (us < 500 ? 1 : 0));
      // Whole sweeps: every set counts alike.
      if (sample.long_us > 0) {
        EXPECT_EQ(sample.launches % (3 * result.ring), 0);
      }
    }
    EXPECT_EQ(result.rejected_clocks, 0);
    EXPECT_EQ(result.data, "cold");
  }
}

TEST(QueuedRace, WhatCannotBeRecordedGoesIntoTheStreamAndSaysSo) {
  Simulation script = quiet_gpu();
  script.queue.graphs = false;
  const RaceResult result = SimulatedRace(script, {6, 7}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_EQ(result.path, "stream");
  EXPECT_THAT(result.flags, Contains(HasSubstr("captured")));
}

TEST(QueuedRace, TwoLengthsRemoveWhatASpanCosts) {
  Simulation script = quiet_gpu();
  script.queue.span_us = 120;
  RaceOptions options;
  const RaceResult result = SimulatedRace(script, {50, 60}).run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  for (const Sample& sample : result.samples)
    EXPECT_NEAR(sample.us, sample.arm == 0 ? 51 : 61, 0.1);
  EXPECT_THAT(result.flags, Contains("span_overhead"));
  options.queued.two_lengths = false;
  const RaceResult one = SimulatedRace(script, {50, 60}).run(options);
  EXPECT_GT(one.samples.front().us, 1.03 * 51) << "one length cannot tell";
}

TEST(QueuedRace, SpansAreAThousandTicksLong) {
  Simulation script = quiet_gpu();
  script.queue.tick_us = 5;
  const RaceResult result = SimulatedRace(script, {50, 60}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  for (const Sample& sample : result.samples) EXPECT_GE(sample.short_us, 5000);
}

TEST(QueuedRace, AnArmThatWorksOutsideOfItsQueueHasNoTime) {
  Simulation script = quiet_gpu();
  SimulatedFault fault;
  fault.kind = SimulatedFault::Kind::other_stream;
  fault.variant = {{"arm", "1"}};
  fault.times = 0;
  script.faults = {fault};
  // Its own clock shows hardly anything.
  SimulatedRace set(script, {50, 51, 52});
  const RaceResult result = set.run();
  EXPECT_EQ(result.outcome.status, Status::launch_error);
  EXPECT_EQ(result.failed_arm, 1);
}

TEST(QueuedRace, AClockThatJumpsCostsTheRoundAndNotTheRace) {
  Simulation script = quiet_gpu();
  for (int i = 0; i < 12; ++i)
    script.clock_jumps.push_back({100000.0 + 61000 * i, i % 2 == 0 ? 700.0 : -700.0});
  const RaceResult result = SimulatedRace(script, {50, 55, 60}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_GE(result.rejected_clocks, 1);
  EXPECT_LE(result.rejected_clocks, 12);
  for (const Sample& sample : result.samples)
    EXPECT_NEAR(sample.us, 51 + 5 * sample.arm, 0.2) << sample.epoch << " " << sample.round;
  // A pair of arms has whole rounds or none.
  std::map<std::tuple<int, int, int>, int> visits;
  for (const Sample& sample : result.samples) ++visits[{sample.epoch, sample.round, sample.arm}];
  for (const auto& [place, count] : visits) EXPECT_EQ(count, 2);
}

TEST(QueuedRace, AFarBaselineHasARoundInEveryEpoch) {
  Simulation script = quiet_gpu();
  for (int i = 0; i < 100; ++i)
    script.clock_jumps.push_back({100000.0 + 13000 * i, i % 2 == 0 ? 700.0 : -700.0});
  RaceOptions options;
  options.keep = {2};
  const RaceResult result = SimulatedRace(script, {50, 50.1, 150}).run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_GE(result.rejected_clocks, 10);
  std::map<int, std::set<int>> arms_of_epoch;
  for (const Sample& sample : result.samples) arms_of_epoch[sample.epoch].insert(sample.arm);
  for (const auto& [epoch, arms] : arms_of_epoch) EXPECT_EQ(arms.count(2), 1U) << epoch;
}

TEST(QueuedRace, AThrottledCoreIsLeftOut) {
  Simulation script = quiet_gpu();
  for (int i = 0; i < 12; ++i)
    script.throttling.push_back({100000.0 + 23000 * i, 103000.0 + 23000 * i, 1.5, true});
  const RaceResult result = SimulatedRace(script, {50, 55, 60}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_GE(result.rejected_throttle, 1);
  for (const Sample& sample : result.samples) EXPECT_NEAR(sample.us, 51 + 5 * sample.arm, 0.6);
}

TEST(QueuedRace, ALoadThatSlowsTheCoreAllTheTimeHasItsEpochs) {
  Simulation script = quiet_gpu();
  for (int i = 0; i < 400; ++i)
    script.throttling.push_back({100000.0 + 9000 * i, 104000.0 + 9000 * i, 1.05, true});
  const RaceResult result = SimulatedRace(script, {50, 50.2}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_THAT(result.flags, Contains("throttled"));
  std::map<int, std::set<int>> arms_of_epoch;
  for (const Sample& sample : result.samples) arms_of_epoch[sample.epoch].insert(sample.arm);
  for (const auto& [epoch, arms] : arms_of_epoch) EXPECT_EQ(arms.size(), 2U) << epoch;
}

TEST(QueuedRace, ASlowMemoryRepeatsTheEpochAfterARest) {
  Simulation script = quiet_gpu();
  script.throttling = {{300000, 430000, 1.1, false}};
  const RaceResult result = SimulatedRace(script, {50, 55, 60}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_GE(result.repeated_epochs, 1);
  EXPECT_THAT(result.flags, Not(Contains("throttled")));
  for (const Sample& sample : result.samples) EXPECT_NEAR(sample.us, 51 + 5 * sample.arm, 0.6);
}

TEST(QueuedRace, AMemoryThatStaysSlowIsAcceptedAndFlagged) {
  Simulation script = quiet_gpu();
  script.throttling = {{120000, 1e12, 1.1, false}};
  const RaceResult result = SimulatedRace(script, {50, 55, 60}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_THAT(result.flags, Contains("throttled"));
  EXPECT_EQ(arms_in(result).size(), 3U);
  EXPECT_LE(result.repeated_epochs, 12 * 3);
}

TEST(QueuedRace, WarmsUpUntilTheClockHasRisen) {
  Simulation script = quiet_gpu();
  script.throttling = {{0, 200000, 1.4, true}};
  const RaceResult result = SimulatedRace(script, {50, 55}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  // Steady, if slow: what it was before nobody knows.
  RaceOptions options;
  options.queued.warm_up_ms = 220;
  for (const Sample& sample : SimulatedRace(script, {50, 55}).run(options).samples)
    EXPECT_NEAR(sample.us, 51 + 5 * sample.arm, 0.6);
}

TEST(QueuedRace, ARingThatIsTooSmallDoublesUntilItIsCold) {
  Simulation script = quiet_gpu();
  script.queue.cached = 0.5;
  script.cache_bytes = 16 << 10;
  RaceOptions options;
  options.cache_bytes = 4 << 10;  // what somebody believes
  SimulatedRace set(script, {50, 55});
  const RaceResult result = set.run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_LE(result.ring_doubled, 1.02);
  EXPECT_GT(result.ring_doubled, 0);
  for (const Sample& sample : result.samples) EXPECT_GT(sample.us, 50);
  options.ring_bytes_max = 16 << 10;
  const RaceResult capped = SimulatedRace(script, {50, 55}).run(options);
  EXPECT_THAT(capped.flags, Contains(HasSubstr("not proven")));
}

TEST(QueuedRace, AShortRingIsAsColdAsALongOne) {
  Simulation script = quiet_gpu();
  script.queue.cached = 0.5;
  script.cache_bytes = 2 << 20;
  RaceOptions options;
  options.ring_bytes_max = 64 << 20;
  const RaceResult result = SimulatedRace(script, {4, 5}).run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_EQ(result.path, "graph");
  EXPECT_THAT(result.flags, Contains(HasSubstr("short ring")));
  EXPECT_LE(result.ring, 1024) << "two spans of 4 us";
  for (const Sample& sample : result.samples) EXPECT_GT(sample.us, 4) << "arm " << sample.arm;
}

TEST(QueuedRace, WhereACopyDoesNotEmptyTheCacheTheLongRingStays) {
  Simulation script = quiet_gpu();
  script.queue.cached = 0.5;
  script.cache_bytes = 5 << 20;
  RaceOptions options;
  options.cache_bytes = 1 << 20;  // what somebody believes: a copy touches four times that
  options.ring_bytes_max = 64 << 20;
  const RaceResult result = SimulatedRace(script, {4, 5}).run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_THAT(result.flags, Not(Contains(HasSubstr("short ring"))));
  EXPECT_GT(result.ring, 1024);
  for (const Sample& sample : result.samples) EXPECT_GT(sample.us, 4) << "arm " << sample.arm;
}

TEST(QueuedRace, TheRingHasItsShareOfTheMemoryAndShrinks) {
  Simulation script = quiet_gpu();
  script.cache_bytes = 64 << 10;
  script.memory_bytes = 1 << 20;
  const RaceResult result = SimulatedRace(script, {50, 55}).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_LE(result.ring * ring_set_bytes(SimulatedRace(script, {50}).which()), 1 << 18);
  script.memory_bytes = 300 << 10;
  const RaceResult poor = SimulatedRace(script, {50, 55}).run();
  ASSERT_TRUE(poor.outcome.ok()) << poor.outcome.message;
  EXPECT_THAT(poor.flags, Contains(HasSubstr("capped")));
  EXPECT_THAT(poor.flags, Contains("no memory for the reference copy"));
}

TEST(QueuedRace, DropsWhatIsSlowerAndConfirmsTheRest) {
  Simulation script = quiet_gpu();
  script.noise.placement = 0.003;
  script.noise.sample = 0.01;
  std::vector<double> us;
  for (int arm = 0; arm < 24; ++arm) us.push_back(100 + 1.5 * ((arm * 7) % 24));
  RaceOptions options;
  options.keep = {5};
  const RaceResult result = SimulatedRace(script, us).run(options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  ASSERT_TRUE(result.confirmed);
  EXPECT_GT(result.confirmed_from, 0);
  EXPECT_FALSE(result.eliminated.empty());
  std::set<std::int32_t> finalists;
  for (const Sample& sample : result.samples)
    if (sample.epoch >= result.confirmed_from) finalists.insert(sample.arm);
  EXPECT_LE(finalists.size(), 9U);
  EXPECT_EQ(finalists.count(5), 1U) << "kept";
  EXPECT_EQ(finalists.count(0), 1U) << "the best";
  const Choice choice = choose(result, first_is_simplest(us.size()));
  EXPECT_EQ(choice.arm, 0);
  for (const Elimination& one : result.eliminated)
    EXPECT_THAT(choice.tie_set, Not(Contains(one.arm)));
  EXPECT_EQ(choice.verdicts.size(), us.size()) << "those that were dropped have theirs";
  EXPECT_EQ(choice.verdict(0).summary.epochs,
            result.samples.back().epoch - result.confirmed_from + 1)
      << "the certificate is the confirmation's";
}

TEST(QueuedRace, ShortSpansLeaveOutWhatIsFarBehind) {
  std::vector<double> us;
  for (int arm = 0; arm < 24; ++arm) us.push_back(100 + (arm < 10 ? 0.7 * arm : 15 + arm));
  const RaceResult result = SimulatedRace(quiet_gpu(), us).run();
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  std::map<std::int32_t, int> whole, brief;
  for (const Sample& sample : result.samples) ++(sample.long_us > 0 ? whole : brief)[sample.arm];
  for (std::int32_t arm = 0; arm < 24; ++arm) {
    EXPECT_EQ(brief[arm], arm < 10 ? 4 : 2) << arm;
    EXPECT_EQ(whole[arm] > 0, arm < 10) << arm;
  }
}

/// Of spans of two lengths: those of epochs.
std::set<std::int32_t> epochs_of(const RaceResult& result, std::int32_t arm) {
  std::set<std::int32_t> epochs;
  for (const Sample& sample : result.samples)
    if (sample.arm == arm && sample.long_us > 0) epochs.insert(sample.epoch);
  return epochs;
}

TEST(QueuedRace, OneEpochIsEnoughAmongManyAndNotAmongTheLast) {
  const RaceResult few = SimulatedRace(quiet_gpu(), {100, 106}).run();
  EXPECT_GE(epochs_of(few, 1).size(), 2U);
  std::vector<double> us(12, 100);
  us.push_back(106);
  EXPECT_EQ(epochs_of(SimulatedRace(quiet_gpu(), us).run(), 12).size(), 1U);
}

TEST(QueuedRace, SaysWhyItStopped) {
  const RaceResult decided = SimulatedRace(quiet_gpu(), {50, 60}).run();
  EXPECT_EQ(decided.stopped_by, "decided");
  const RaceResult precise = SimulatedRace(quiet_gpu(), {50, 50.05}).run();
  EXPECT_EQ(precise.stopped_by, "precise");
  Simulation noisy = quiet_gpu();
  noisy.noise.placement = 0.05;
  const RaceResult most = SimulatedRace(noisy, {50, 50.05}).run();
  EXPECT_THAT(most.stopped_by, ::testing::AnyOf("epochs", "noise_limited"));
  RaceOptions options;
  options.budget_s = 0.001;
  const RaceResult poor = SimulatedRace(noisy, {50, 50.05}).run(options);
  EXPECT_EQ(poor.stopped_by, "budget");
  EXPECT_EQ(arms_in(poor).size(), 2U);
}

TEST(QueuedRace, EarlierRecordsAreRead) {
  const RaceResult result = SimulatedRace(quiet_gpu(), {50, 60}).run();
  EXPECT_EQ(to_json(race_from_json(to_json(result))), to_json(result));
  Json old = to_json(result);
  for (const char* key :
       {"path", "ring_doubled", "eliminated", "confirmed", "confirmed_from", "rejected_clocks",
        "rejected_throttle", "repeated_epochs", "reference_us"})
    old.erase(key);
  for (Json& row : old["samples"]) row.erase(row.begin() + 5, row.end());
  const RaceResult read = race_from_json(old);
  EXPECT_EQ(read.samples.size(), result.samples.size());
  EXPECT_EQ(read.samples.back().us, result.samples.back().us);
  EXPECT_FALSE(read.confirmed);
  const RaceOptions options;
  EXPECT_EQ(to_json(race_options_from_json(to_json(options))), to_json(options));
}

}  // namespace
}  // namespace fusetune
