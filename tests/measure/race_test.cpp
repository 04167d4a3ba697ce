#include "harness/measure/race.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "harness/measure/choose.hpp"
#include "tests/measure/scripted_device.hpp"

namespace fusetune {
namespace {

using testing::arms_in;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::first_is_simplest;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::ScriptedDevice;
using testing::ScriptedRace;

TEST(Race, EveryArmIsSampledThereAndBackInEveryRound) {
  ScriptedDevice device;
  const ScriptedRace set(3);
  RaceOptions options;
  const RaceResult result = race(device, set.arms, set.which, options);
  ASSERT_TRUE(result.outcome.ok()) << result.outcome.message;
  EXPECT_EQ(result.stopped_by, "epochs");
  ASSERT_EQ(result.samples.size(), 4U * 3 * 2 * 3);
  for (std::size_t begin = 0; begin < result.samples.size(); begin += 6) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(result.samples[begin + i].arm, result.samples[begin + 5 - i].arm);
      EXPECT_EQ(result.samples[begin + i].round, result.samples[begin].round);
    }
  }
  for (const Sample& sample : result.samples) {
    EXPECT_NEAR(sample.us, 10, 1e-6);
    EXPECT_GE(sample.us * static_cast<double>(sample.launches),
              options.immediate.span_us_min - 1e-6);
  }
  EXPECT_THAT(result.flags, Not(Contains("warm-up unsettled")));
}

TEST(Race, OrdersDifferFromRoundToRoundButNotFromRunToRun) {
  const ScriptedRace set(6);
  const auto orders = [&](std::uint64_t seed) {
    ScriptedDevice device;
    RaceOptions options;
    options.seed = seed;
    std::vector<std::int32_t> arms;
    for (const Sample& sample : race(device, set.arms, set.which, options).samples)
      arms.push_back(sample.arm);
    return arms;
  };
  const auto first = orders(1);
  EXPECT_EQ(first, orders(1));
  EXPECT_NE(first, orders(2));
  EXPECT_NE(std::vector<std::int32_t>(first.begin(), first.begin() + 6),
            std::vector<std::int32_t>(first.begin() + 12, first.begin() + 18));
}

TEST(Race, RecoversTheWinnerUnderNoiseAndPlacement) {
  ScriptedDevice device;
  device.placement_sigma = 0.003;
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(0, 0.01);
  const std::vector<double> truth{10.6, 10.3, 10.0, 10.9};
  device.launch_us = [&](int arm, double) {
    return truth[static_cast<std::size_t>(arm)] * std::exp(noise(random));
  };
  const ScriptedRace set(4);
  const RaceResult result = race(device, set.arms, set.which, {});
  const Choice choice = choose(result, first_is_simplest(4));
  EXPECT_EQ(choice.fastest, 2);
  EXPECT_EQ(choice.arm, 2);
  EXPECT_THAT(choice.tie_set, IsEmpty());
  EXPECT_NEAR(choice.verdict(0).over_fastest.mid, 1.06, 0.01);
}

TEST(Race, InterleavingCancelsADrift) {
  ScriptedDevice device;
  // The clock of the chip falls by a third while equal arms are timed.
  device.launch_us = [](int, double now_us) { return 10 * (1 + now_us / 150000); };
  const ScriptedRace set(5);
  const RaceResult result = race(device, set.arms, set.which, {});
  EXPECT_GT(result.samples.back().us, 1.2 * result.samples.front().us);
  const Choice choice = choose(result, first_is_simplest(5));
  EXPECT_EQ(choice.tie_set.size(), 4U);
  for (const ArmVerdict& verdict : choice.verdicts)
    EXPECT_NEAR(verdict.over_fastest.mid, 1, 0.005) << verdict.arm;
}

TEST(Race, TheProbeDropsWhatIsFarSlowerUnlessItIsKept) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return arm == 1 ? 26.0 : arm == 2 ? 1e6 : 10.0; };
  const ScriptedRace set(4);
  RaceOptions options;
  RaceResult result = race(device, set.arms, set.which, options);
  EXPECT_THAT(result.dropped, ElementsAre(1, 2));
  EXPECT_EQ(arms_in(result), (std::set<std::int32_t>{0, 3}));
  ASSERT_EQ(result.probe_us.size(), 4U);
  EXPECT_NEAR(result.probe_us[1], 26, 1e-6);
  EXPECT_NEAR(result.probe_us[2], 1e6, 1);

  options.keep = {1};
  ScriptedDevice again;
  again.launch_us = device.launch_us;
  result = race(again, set.arms, set.which, options);
  EXPECT_THAT(result.dropped, ElementsAre(2));
  EXPECT_EQ(arms_in(result), (std::set<std::int32_t>{0, 1, 3}));
}

TEST(Race, TellsHowFarItIs) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return 10.0 + (arm < 2 ? 0.0 : 20.0 * arm); };
  const ScriptedRace set(4);
  std::vector<std::pair<std::int32_t, std::int32_t>> told;
  const auto ahead = [&](const NextSpan& next) {
    const std::pair now(next.probed, next.left);
    if (told.empty() || told.back() != now) told.push_back(now);
  };
  ASSERT_TRUE(race(device, set.arms, set.which, {}, ahead).outcome.ok());
  // Nothing of it before the probe; two are too slow for more than that.
  const std::vector<std::pair<std::int32_t, std::int32_t>> expected{
      {0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 2}};
  EXPECT_EQ(told, expected);
}

TEST(Race, TheBestOfEveryGroupStays) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return 10.0 + 20 * arm; };
  const ScriptedRace set(4);
  RaceOptions options;
  EXPECT_THAT(race(device, set.arms, set.which, options).dropped, ElementsAre(1, 2, 3));
  options.groups = {0, 0, 1, 1};
  ScriptedDevice again;
  again.launch_us = device.launch_us;
  const RaceResult result = race(again, set.arms, set.which, options);
  EXPECT_THAT(result.dropped, ElementsAre(1)) << "70 is no more than 2.5 times 50";
}

TEST(Race, ASlowArmIsCutAfterFewLaunches) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return arm == 1 ? 1e6 : 10.0; };
  const ScriptedRace set(8);
  RaceOptions options;
  race(device, set.arms, set.which, options);
  EXPECT_LE(std::count(device.launched.begin(), device.launched.end(), 1), 3);
}

TEST(Race, NoTimeIsAnErrorAndNotAFastKernel) {
  const ScriptedRace set(2);
  for (const double lie : {0.0, -1.0, std::nan("")}) {
    ScriptedDevice device;
    device.clock = [lie](double now_us) { return now_us * lie; };
    const RaceResult result = race(device, set.arms, set.which, {});
    EXPECT_EQ(result.outcome.status, Status::launch_error) << lie;
    EXPECT_THAT(result.outcome.message, HasSubstr("clock"));
    EXPECT_THAT(result.samples, IsEmpty());
  }
}

TEST(Race, AClockThatStopsMidwayEndsTheRace) {
  ScriptedDevice device;
  device.clock = [](double now_us) { return std::min(now_us, 35000.0); };
  const ScriptedRace set(2);
  EXPECT_EQ(race(device, set.arms, set.which, {}).outcome.status, Status::launch_error);
}

TEST(Race, AFailedLaunchNamesItsArm) {
  ScriptedDevice device;
  device.outcome = [](int arm) {
    return arm == 1 ? Outcome{Status::kernel_fault, "it fell"} : Outcome{};
  };
  const ScriptedRace set(3);
  const RaceResult result = race(device, set.arms, set.which, {});
  EXPECT_EQ(result.outcome.status, Status::kernel_fault);
  EXPECT_EQ(result.failed_arm, 1);
  EXPECT_THAT(result.outcome.message, HasSubstr("it fell"));
}

TEST(Race, EverySpanIsToldAheadWithItsArmAndWhatWasSeenOfIt) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return arm == 0 ? 10.0 : 1000.0; };
  const ScriptedRace set(2);
  std::size_t told = 0;     // launches before the last span
  std::int32_t ahead = -1;  // its arm
  double expected_us = 0, begin_us = 0;
  std::map<std::int32_t, int> spans;
  const auto check_last = [&] {
    for (; told < device.launched.size(); ++told) EXPECT_EQ(device.launched[told], ahead);
    if (ahead < 0) return;
    if (expected_us > 0)
      EXPECT_NEAR(expected_us, device.now_us - begin_us, 1e-6);
    else
      EXPECT_EQ(spans[ahead], 1);  // of its first launch alone nothing is known
  };
  const RaceResult result = race(device, set.arms, set.which, {}, [&](const NextSpan& next) {
    check_last();
    ahead = next.arm;
    expected_us = next.expected_us;
    begin_us = device.now_us;
    ++spans[next.arm];
  });
  check_last();
  ASSERT_TRUE(result.outcome.ok());
  EXPECT_EQ(spans[-1], 4);  // fresh memory of every epoch
  EXPECT_GT(spans[0] + spans[1], std::ssize(result.samples));
}

TEST(Race, AnArmWithoutLaunchesIsRefused) {
  ScriptedDevice device;
  ScriptedRace set(2);
  set.arms[1].launches.clear();
  const RaceResult result = race(device, set.arms, set.which, {});
  EXPECT_EQ(result.outcome.status, Status::skipped);
  EXPECT_EQ(result.failed_arm, 1);
  EXPECT_THAT(device.launched, IsEmpty());
  EXPECT_FALSE(race(device, {}, set.which, {}).outcome.ok());
}

TEST(Race, NoMemoryIsAnOutcome) {
  ScriptedDevice device;
  device.memory_bytes_max = 100000;
  const ScriptedRace set(2);
  EXPECT_EQ(race(device, set.arms, set.which, {}).outcome.status, Status::out_of_memory);
  EXPECT_TRUE(device.memory.empty());
}

TEST(Race, TheBudgetEndsItButNeverBeforeTwoEpochs) {
  const ScriptedRace set(4);
  RaceOptions options;
  options.immediate.looks = {50};
  options.budget_s = 0.2;
  ScriptedDevice device;
  RaceResult result = race(device, set.arms, set.which, options);
  EXPECT_EQ(result.stopped_by, "budget");
  EXPECT_THAT(result.flags, Contains("budget"));
  EXPECT_LT(device.now_us, 0.2e6);
  EXPECT_GT(result.samples.back().epoch, 1);
  EXPECT_LT(result.samples.back().epoch, 49);

  options.budget_s = 0;
  ScriptedDevice poor;
  result = race(poor, set.arms, set.which, options);
  EXPECT_EQ(result.samples.back().epoch, 1);
  EXPECT_EQ(result.samples.back().round, 0);
  EXPECT_EQ(result.samples.size(), 2U * 2 * 4);
}

TEST(Race, ATrendThatDoesNotEndIsFlagged) {
  ScriptedDevice device;
  device.launch_us = [](int, double now_us) { return 10 * std::exp(now_us / 50000); };
  const ScriptedRace set(1);
  EXPECT_THAT(race(device, set.arms, set.which, {}).flags, Contains("warm-up unsettled"));
}

TEST(Race, WarmsUpFirst) {
  ScriptedDevice device;
  // Slow for the first 15 ms, as a chip that sleeps.
  device.launch_us = [](int, double now_us) { return now_us < 15000 ? 40.0 : 10.0; };
  const ScriptedRace set(2);
  const RaceResult result = race(device, set.arms, set.which, {});
  for (const Sample& sample : result.samples) EXPECT_NEAR(sample.us, 10, 1e-6);
  EXPECT_NEAR(result.probe_us[0], 10, 1e-6);
}

TEST(Race, IdenticalSamplesAreFlagged) {
  ScriptedDevice device;
  device.launch_us = [](int, double) { return 16.0; };  // exact in binary: no rounding differs
  const ScriptedRace set(2);
  EXPECT_THAT(race(device, set.arms, set.which, {}).flags, Contains("all samples are identical"));
}

TEST(Race, ColdRotatesTheWholeRingOverEpochsOfFreshMemory) {
  ScriptedDevice device;
  const ScriptedRace set(2);
  const RaceResult result = race(device, set.arms, set.which, {});
  EXPECT_EQ(result.data, "cold");
  EXPECT_GT(result.ring, 50);
  EXPECT_GE(result.ring_over_cache, 3);
  const std::set<DevicePointer> places(device.first_tensor.begin(), device.first_tensor.end());
  EXPECT_GE(places.size(), static_cast<std::size_t>(result.ring));
  // A set comes again only after all others: any window of launches of the ring's size differs.
  const auto last = device.first_tensor.end();
  EXPECT_EQ(std::set<DevicePointer>(last - result.ring, last).size(),
            static_cast<std::size_t>(result.ring));
  // One of each tensor to bind the arguments, then one ring for each of the four epochs.
  const std::size_t tensors = tensors_of(set.which.geometry).size();
  EXPECT_EQ(device.allocations, static_cast<std::int64_t>(tensors) + 4);
  EXPECT_TRUE(device.memory.empty());
}

TEST(Race, HotUsesOneSetAndSaysSo) {
  ScriptedDevice device;
  const ScriptedRace set(1);
  RaceOptions options;
  options.cold = false;
  const RaceResult result = race(device, set.arms, set.which, options);
  EXPECT_EQ(result.data, "hot");
  EXPECT_EQ(result.ring, 1);
}

TEST(Race, ARingThatDoesNotLeaveTheCacheIsCalledHot) {
  ScriptedDevice device;
  device.properties_.cache_bytes = std::int64_t{1} << 30;
  const ScriptedRace set(1);
  RaceOptions options;
  options.ring_bytes_max = 1 << 20;
  const RaceResult result = race(device, set.arms, set.which, options);
  EXPECT_EQ(result.data, "hot");
  EXPECT_THAT(result.flags, Contains(HasSubstr("ring capped")));
}

TEST(Race, SamplesSurviveTheStore) {
  ScriptedDevice device;
  device.launch_us = [](int arm, double) { return arm == 1 ? 100.0 / 3 : 10.1; };
  const ScriptedRace set(3);
  const RaceResult result = race(device, set.arms, set.which, {});
  const RaceResult read = race_from_json(Json::parse(to_json(result).dump()));
  ASSERT_EQ(read.samples.size(), result.samples.size());
  for (std::size_t i = 0; i < read.samples.size(); ++i) {
    EXPECT_EQ(read.samples[i].us, result.samples[i].us);
    EXPECT_EQ(read.samples[i].launches, result.samples[i].launches);
  }
  EXPECT_EQ(to_json(read), to_json(result));
  Json broken = to_json(result);
  broken["status"] = "fine";
  EXPECT_THROW(race_from_json(broken), std::invalid_argument);
}

}  // namespace
}  // namespace fusetune
