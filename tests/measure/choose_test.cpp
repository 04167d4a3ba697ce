#include "harness/measure/choose.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Four epochs of three rounds; `noise` is the log-sigma of an arm's placement in an epoch.
RaceResult raced(const std::vector<double>& us, double noise, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> draw(0, 1);
  RaceResult result;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<double> placement;
    for (std::size_t arm = 0; arm < us.size(); ++arm)
      placement.push_back(std::exp(noise * draw(random)));
    for (int round = 0; round < 3; ++round) {
      for (std::size_t arm = 0; arm < us.size(); ++arm)
        result.samples.push_back(
            {static_cast<std::int32_t>(arm), epoch, round, 10, us[arm] * placement[arm]});
    }
  }
  return result;
}

/// Simpler towards the higher arm numbers, so that the first is no default of the code.
ChoiceRules rules(std::size_t arms, std::int32_t incumbent = -1, std::int32_t baseline = -1) {
  ChoiceRules made;
  for (std::size_t arm = 0; arm < arms; ++arm) made.simplicity.push_back({1, arms - arm});
  made.incumbent = incumbent;
  made.baseline = baseline;
  return made;
}

TEST(Choose, TheFastestWinsClearly) {
  const Choice choice = choose(raced({11, 10, 12}, 0.001), rules(3));
  EXPECT_EQ(choice.arm, 1);
  EXPECT_EQ(choice.fastest, 1);
  EXPECT_THAT(choice.tie_set, IsEmpty());
  EXPECT_FALSE(choice.is_default);
  EXPECT_EQ(choice.reason, "the fastest");
}

TEST(Choose, SaysWhatTheChoiceMayCostAndWhetherItWouldHold) {
  const Choice clear = choose(raced({11, 10, 12}, 0.001), rules(3));
  EXPECT_EQ(clear.regret, 0);
  EXPECT_LT(clear.flip_probability, 1e-6);

  const Choice simpler = choose(raced({10, 10.02}, 0), rules(2));
  EXPECT_EQ(simpler.arm, 1);
  EXPECT_NEAR(simpler.regret, 0.002, 1e-9);
  EXPECT_EQ(simpler.flip_probability, 0) << "within the margin, without noise";

  const Choice noisy = choose(raced({10, 10, 10, 10}, 0.02, 3), rules(4));
  EXPECT_GT(noisy.flip_probability, 0.2);
  EXPECT_LE(noisy.flip_probability, 1);

  RaceResult short_race = raced({10, 10.02}, 0);
  std::erase_if(short_race.samples, [](const Sample& sample) { return sample.epoch > 0; });
  const Choice blind = choose(short_race, rules(2));
  EXPECT_TRUE(std::isinf(blind.regret));
  EXPECT_TRUE(std::isnan(blind.flip_probability));
}

TEST(Choose, AnotherIsFasterInASecondRaceAsOftenAsItSays) {
  // Of an arm that was not chosen for its luck in the first race.
  struct Bin {
    int races = 0;
    double said = 0, seen = 0;
  };
  std::vector<Bin> bins(5);
  ChoiceRules made = rules(2);
  made.shared = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const double gap = -0.03 + 0.06 * static_cast<double>(seed) / 4000;
    const std::vector<double> us{10, 10 * (1 + gap)};
    const Choice choice = choose(raced(us, 0.005, seed), made);
    const Choice again = choose(raced(us, 0.005, seed + 100000), made);
    Bin& bin =
        bins[std::min<std::size_t>(4, static_cast<std::size_t>(5 * choice.flip_probability))];
    ++bin.races;
    bin.said += choice.flip_probability;
    bin.seen += again.verdict(0).over_fastest.mid > 1.005 ? 1 : 0;
  }
  for (const Bin& bin : bins) {
    EXPECT_GT(bin.races, 100);
    EXPECT_NEAR(bin.said / bin.races, bin.seen / bin.races, 0.06) << bin.races << " races";
  }
}

TEST(Choose, OthersMayStandInWhereTheyAreKnownToCostLittle) {
  const RaceResult race = raced({10, 10.08, 10.2, 10.05, 30}, 0);
  ChoiceRules made = rules(5, -1, 4);
  const Choice choice = choose(race, made);
  EXPECT_EQ(choice.arm, 3) << "a tie, and simpler";
  const std::map<std::int32_t, double> arms = sharable_arms(choice, made);
  ASSERT_EQ(arms.size(), 3u);
  EXPECT_NEAR(arms.at(0), 0, 1e-12);
  EXPECT_NEAR(arms.at(1), 0.008, 1e-12);
  EXPECT_NEAR(arms.at(3), 0.005, 1e-12);
  made.shared = 1;
  const Choice shared = choose(race, made);
  EXPECT_EQ(shared.arm, 1);
  EXPECT_NEAR(shared.regret, 0.008, 1e-9);
  EXPECT_EQ(shared.reason, "it serves other row counts too, and is at most 0.8 % slower here");
  EXPECT_FALSE(shared.is_default);

  const Choice noisy = choose(raced({10, 10.05, 10.08, 30}, 0.01), rules(4, -1, 3));
  for (const auto& [arm, cost] : sharable_arms(noisy, rules(4, -1, 3)))
    EXPECT_TRUE(arm == noisy.arm || arm == noisy.fastest)
        << "what it costs is not known well enough";
  EXPECT_TRUE(sharable_arms(choose(raced({10, 10}, 0), rules(2, -1, 1)), rules(2, -1, 1)).empty())
      << "a default is shared by none";
}

TEST(Choose, TiesGoToTheSimpler) {
  const Choice choice = choose(raced({10, 10.02, 10.03, 12}, 0), rules(4));
  EXPECT_EQ(choice.fastest, 0);
  EXPECT_EQ(choice.arm, 2);
  EXPECT_THAT(choice.tie_set, ElementsAre(0, 1));
}

TEST(Choose, TiesGoToTheOneThatAsksLeastOfMemoryBeforeTheSimpler) {
  const RaceResult tied = raced({10, 10.02, 10.03, 12}, 0);
  ChoiceRules by_memory = rules(4);
  // Arm 2 is the simplest, arm 3 no tie.
  by_memory.memory = {{{64, 0}}, {{32, 0}}, {{64, 0}}, {{1, 0}}};
  const Choice fewer_segments = choose(tied, by_memory);
  EXPECT_EQ(fewer_segments.arm, 1);
  EXPECT_THAT(fewer_segments.tie_set, ElementsAre(0, 2));
  EXPECT_EQ(fewer_segments.reason,
            "of those within noise of the fastest, the one that asks least of memory");

  // Segments decide before bank passes, bank passes before simplicity.
  by_memory.memory = {{{32, 9}}, {{32, 8}}, {{33, 0}}, {}};
  EXPECT_EQ(choose(tied, by_memory).arm, 1);
  by_memory.memory[0] = MemoryCost{32, 7};
  EXPECT_EQ(choose(tied, by_memory).reason,
            "the fastest, and of its ties the one that asks least of memory");

  // Equal cost leaves it to simplicity.
  by_memory.memory = {{{64, 0}}, {{32, 0}}, {{32, 0}}, {}};
  EXPECT_EQ(choose(tied, by_memory).arm, 2);
  by_memory.memory = {{{32, 0}}, {{32, 0}}, {{32, 0}}, {}};
  EXPECT_EQ(choose(tied, by_memory).reason, "the simplest of those within noise of the fastest");

  // The incumbent stays whatever it costs, and the time comes before all.
  by_memory.memory = {{{64, 0}}, {{32, 0}}, {{64, 0}}, {{1, 0}}};
  by_memory.incumbent = 2;
  EXPECT_EQ(choose(tied, by_memory).arm, 2);
}

TEST(Choose, MemoryDoesNotCountUnlessItIsKnownOfAllTies) {
  const RaceResult tied = raced({10, 10.02, 10.03}, 0);
  ChoiceRules by_memory = rules(3);
  by_memory.memory = {{{64, 0}}, {{32, 0}}, std::nullopt};
  EXPECT_EQ(choose(tied, by_memory).arm, 2);
  by_memory.memory = {{{64, 0}}, {{32, 0}}};
  EXPECT_EQ(choose(tied, by_memory).arm, 2);
}

TEST(Choose, TheMarginIsHalfAPercent) {
  EXPECT_EQ(choose(raced({10, 10.04}, 0), rules(2)).arm, 1);
  EXPECT_EQ(choose(raced({10, 10.06}, 0), rules(2)).arm, 0);
}

TEST(Choose, WithinNoiseTheIncumbentStays) {
  // Arm 0 is 2 % slower, but its epochs scatter more than that.
  RaceResult result = raced({10.2, 10, 10}, 0);
  for (Sample& sample : result.samples) {
    if (sample.arm == 0) sample.us *= 1 + 0.03 * (sample.epoch - 1.5);
  }
  EXPECT_EQ(choose(result, rules(3, 0)).arm, 0);
  EXPECT_EQ(choose(result, rules(3, 1)).arm, 1);
  EXPECT_EQ(choose(result, rules(3)).arm, 2);
  EXPECT_EQ(choose(raced({10.2, 10, 10}, 0), rules(3, 0)).arm, 2);
}

TEST(Choose, WhatDoesNotBeatTheBaselineIsDefault) {
  const Choice slower = choose(raced({10, 10.5}, 0.001), rules(2, -1, 0));
  EXPECT_TRUE(slower.is_default);
  EXPECT_EQ(slower.arm, 0);
  EXPECT_EQ(slower.verdict(0).over_baseline.mid, 1);

  const Choice faster = choose(raced({10, 8}, 0.001), rules(2, -1, 0));
  EXPECT_FALSE(faster.is_default);
  EXPECT_EQ(faster.arm, 1);
  EXPECT_NEAR(faster.verdict(1).over_baseline.mid, 1.25, 0.01);
  EXPECT_GT(faster.verdict(1).over_baseline.low, 1.2);

  // Faster by the median alone is noise.
  EXPECT_TRUE(choose(raced({10, 9.9}, 0.05), rules(2, -1, 0)).is_default);
}

TEST(Choose, ABaselineThatMissedEpochsIsComparedOverAllOfThem) {
  RaceResult result = raced({10, 11, 20}, 0.001);
  result.confirmed = true;
  result.confirmed_from = 1;
  for (const int from : {3, 2}) {  // in one epoch of the confirmation, and in none
    if (from == 2) result.confirmed_from = 2;
    std::erase_if(result.samples, [from](const Sample& sample) {
      return sample.arm == 2 &&
             (from == 3 ? sample.epoch == 1 || sample.epoch == 2 : sample.epoch >= from);
    });
    if (from == 2) result.samples.push_back({2, 1, 0, 10, 20});
    const Choice choice = choose(result, rules(3, -1, 2));
    EXPECT_EQ(choice.arm, 0);
    EXPECT_FALSE(choice.is_default);
    EXPECT_NEAR(choice.verdict(0).over_baseline.mid, 2, 0.02);
    EXPECT_GT(choice.verdict(0).over_baseline.low, 1.8);
    EXPECT_TRUE(std::isfinite(choice.verdict(2).summary.high_us));
    EXPECT_EQ(choice.verdict(0).summary.epochs, 4 - result.confirmed_from)
        << "its own time is that of the confirmation";
  }
}

TEST(Choose, ATieThatBeatsTheBaselineIsPreferred) {
  // Arm 3 is the simplest of the tied, but not faster than the baseline beyond noise.
  RaceResult result = raced({12, 10, 10.02, 10}, 0);
  for (Sample& sample : result.samples) {
    if (sample.arm == 3) sample.us *= 1 + 0.2 * (sample.epoch - 1);
  }
  const Choice choice = choose(result, rules(4, -1, 0));
  EXPECT_TRUE(choice.verdict(3).tied);
  EXPECT_EQ(choice.arm, 2);
}

TEST(Choose, OnlyWhatIsEligibleIsChosen) {
  const RaceResult result = raced({20, 10, 12, 12.01}, 0);
  ChoiceRules some = rules(4, -1, 0);
  some.eligible = {false, false, true, true};
  const Choice choice = choose(result, some);
  EXPECT_EQ(choice.fastest, 2);
  EXPECT_EQ(choice.arm, 3) << "the simpler of the two";
  EXPECT_THAT(choice.tie_set, ElementsAre(2));
  EXPECT_NEAR(choice.verdict(3).over_baseline.mid, 20 / 12.01, 1e-9);

  // A baseline with other bits is no default, however fast it is.
  const RaceResult slower = raced({5, 4, 12, 13}, 0);
  EXPECT_EQ(choose(slower, some).arm, 2);
  EXPECT_FALSE(choose(slower, some).is_default);
  some.eligible[0] = true;
  EXPECT_TRUE(choose(slower, some).is_default);
  some.eligible = {false, false, false, false};
  EXPECT_THROW(choose(result, some), std::invalid_argument);
}

TEST(Choose, IdenticalArmsRarelyHaveAWinner) {
  int lone_winners = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Choice choice = choose(raced({10, 10}, 0.02, seed), rules(2, 0));
    if (choice.arm != 0) ++lone_winners;
  }
  // One sided of 95 %, as the other arm must win clearly to displace the incumbent.
  EXPECT_LT(lone_winners, 20);
}

TEST(Choose, RefusesWhatCannotBeChosenFrom) {
  RaceResult failed = raced({10, 11}, 0);
  failed.outcome = {Status::kernel_fault, "fell"};
  EXPECT_THROW(choose(failed, rules(2)), std::invalid_argument);
  EXPECT_THROW(choose(raced({10, 11}, 0), rules(3, -1, 2)), std::invalid_argument);
  EXPECT_THROW(choose(RaceResult{}, rules(2)), std::invalid_argument);
  RaceResult zero = raced({10, 11}, 0);
  zero.samples[0].us = 0;
  EXPECT_THROW(choose(zero, rules(2)), std::invalid_argument);
}

TEST(Choose, ABaselineAloneIsDefault) {
  const Choice choice = choose(raced({10}, 0.01), rules(1, -1, 0));
  EXPECT_TRUE(choice.is_default);
  EXPECT_EQ(choice.arm, 0);
}

}  // namespace
}  // namespace fusetune
