// Whether races find what is fastest, and whether their intervals hold the truth, under the noise
// that docs/measuring.md reckons with. A few seeds here; scripts/race-quality runs many.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "harness/measure/choose.hpp"
#include "tests/measure/simulated_race.hpp"
#include "tests/search/recorded_space.hpp"

namespace fusetune {
namespace {

using testing::SimulatedRace;

std::size_t made_up_arms() {
  const char* many = std::getenv("FUSETUNE_RACE_ARMS");
  return many == nullptr ? std::size_t{32} : static_cast<std::size_t>(std::atoi(many));
}

constexpr std::int32_t kBaseline = 0;

Simulation noisy_gpu(std::uint64_t seed) {
  Simulation script = testing::quiet_gpu();
  script.seed = seed;
  script.noise = {0.02, 0.015, 0.98, 0.01, 0.015, 0.03, 0.2};
  // A share of it is in what each launch of a recorded space took.
  script.queue.graph_start_us = 0;
  return script;
}

struct Tally {
  int races = 0, failed = 0;
  int intervals = 0, held = 0;
  int far = 0;  ///< winners more than 1 % from the best
  double regret = 0, device_us = 0, exhaustive_us = 0;
};

/// Times between `least_us` and 1.5 times that, in no order; the baseline is the slowest.
std::vector<double> space_of(std::uint64_t seed, double least_us) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> slower(0, 0.4);
  std::vector<double> us;
  for (std::size_t arm = 0; arm < made_up_arms(); ++arm)
    us.push_back(std::round(1000 * least_us * std::exp(slower(random))) / 1000);
  us[kBaseline] = 1.5 * least_us;
  return us;
}

void run_race(std::uint64_t seed, const std::vector<double>& us, double gap_us, Tally& tally) {
  RaceOptions options;
  options.seed = seed;
  options.budget_s = 120;
  options.keep = {kBaseline};
  const RaceResult result = SimulatedRace(noisy_gpu(seed), us).run(options);
  ++tally.races;
  if (!result.outcome.ok()) {
    ++tally.failed;
    return;
  }
  ChoiceRules rules;
  rules.baseline = kBaseline;
  for (std::size_t arm = 0; arm < us.size(); ++arm) rules.simplicity.push_back({arm});
  const Choice choice = choose(result, rules);
  const auto truth = [&](std::int32_t arm) { return us[static_cast<std::size_t>(arm)] + gap_us; };
  const double best = *std::min_element(us.begin(), us.end()) + gap_us;
  tally.far += truth(choice.arm) > 1.01 * best ? 1 : 0;
  tally.regret += truth(choice.arm) / best - 1;
  std::vector<double> visit_us(us.size());
  for (const Sample& sample : result.samples) {
    const double span = sample.us * static_cast<double>(sample.launches);
    tally.device_us += span;
    const bool one_of_two = result.path != "single" && sample.long_us == 0;
    visit_us[static_cast<std::size_t>(sample.arm)] = (one_of_two ? 3 : 1) * span;
  }
  // Every arm as long as a race may take.
  for (const double span : visit_us)
    tally.exhaustive_us += span * 2 * options.queued.rounds * options.queued.looks.back();
  for (const ArmVerdict& verdict : choice.verdicts) {
    const bool confirmed =
        std::any_of(result.samples.begin(), result.samples.end(), [&](const Sample& sample) {
          return sample.arm == verdict.arm && sample.epoch >= result.confirmed_from;
        });
    if (!confirmed || verdict.arm == kBaseline) continue;
    const double ratio = truth(kBaseline) / truth(verdict.arm);
    ++tally.intervals;
    tally.held += verdict.over_baseline.low <= ratio && ratio <= verdict.over_baseline.high;
  }
}

double share(int part, int whole) { return whole == 0 ? 0 : static_cast<double>(part) / whole; }

/// How many scripts/race-quality asks for; without it `few`.
int wanted_races(int few) {
  const char* many = std::getenv("FUSETUNE_RACE_SEEDS");
  return many == nullptr ? few : std::atoi(many);
}

/// `space`: the times of a seed.
template <class Space>
Tally run_races(const std::string& name, const Space& space, double gap_us, int races) {
  Tally tally;
  std::size_t arms = 0;
  for (int seed = 1; seed <= races; ++seed) {
    const std::vector<double> us = space(static_cast<std::uint64_t>(seed));
    arms = us.size();
    run_race(static_cast<std::uint64_t>(seed), us, gap_us, tally);
  }
  std::printf(
      "%s: %d races of %zu arms, %d failed; intervals that hold the truth %.3f of %d; winner more "
      "than 1 %% from the best %.3f; mean regret %.4f; device time over exhaustive %.3f\n",
      name.c_str(), tally.races, arms, tally.failed, share(tally.held, tally.intervals),
      tally.intervals, share(tally.far, tally.races), tally.regret / tally.races,
      tally.device_us / tally.exhaustive_us);
  return tally;
}

/// Bounds that a few races keep by far; of many, scripts/race-quality prints the figures.
void expect_sound(const Tally& tally, double device_time_most) {
  EXPECT_EQ(tally.failed, 0);
  EXPECT_GT(share(tally.held, tally.intervals), 0.8);
  EXPECT_LE(share(tally.far, tally.races), 0.25);
  EXPECT_LT(tally.regret / tally.races, 0.01);
  EXPECT_LT(tally.device_us, device_time_most * tally.exhaustive_us);
}

Tally run_made_up(const char* name, double least_us, double gap_us, int few) {
  return run_races(
      name, [&](std::uint64_t seed) { return space_of(seed, least_us); }, gap_us,
      wanted_races(few));
}

TEST(RaceStatistics, SingleLaunches) { expect_sound(run_made_up("single", 600, 1, 12), 0.25); }

TEST(RaceStatistics, SpansOfTwoLengths) { expect_sound(run_made_up("stream", 120, 1, 6), 0.25); }

/// Every variant of a geometry as a GPU timed it; what stands for the baseline is half as slow
/// again as the fastest.
TEST(RaceStatistics, SpacesOfAGpu) {
  const double gap_us = SimulatedQueue{}.graph_gap_us;
  int spaces = 0;
  for (const test::RecordedSpace& recorded : test::recorded_spaces()) {
    if (recorded.name.rfind("h200", 0) != 0) continue;
    SCOPED_TRACE(recorded.name);
    ++spaces;
    std::vector<double> us{1.5 * recorded.best_us()};
    us.insert(us.end(), recorded.us.begin(), recorded.us.end());
    // The device adds what is between launches.
    for (double& one : us) one = std::round(1000 * (one - gap_us)) / 1000;
    const Tally tally = run_races(
        recorded.name, [&us](std::uint64_t) { return us; }, gap_us,
        std::max(3, wanted_races(30) / 10));  // of several times as many variants
    // Of the splits half are within 5 % of the fastest, and go far.
    const bool is_close = recorded.name.find("split") != std::string::npos;
    expect_sound(tally, is_close ? 0.25 : 0.15);
  }
  EXPECT_EQ(spaces, 3);
}

}  // namespace
}  // namespace fusetune
