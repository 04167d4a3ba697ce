#include "harness/stats/paired.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace fusetune {
namespace {

/// Epochs and rounds in which arm 1 takes `ratio` times arm 0's time, under a drift that both see.
std::vector<ArmTime> drifting(double ratio, int epochs, int rounds) {
  std::vector<ArmTime> times;
  double base = 10;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (int round = 0; round < rounds; ++round) {
      base *= 1.05;
      times.push_back({0, epoch, round, base});
      times.push_back({1, epoch, round, base * ratio});
    }
  }
  return times;
}

TEST(CompareArms, PairingCancelsWhatBothSee) {
  const Comparison comparison = compare_arms(drifting(1.02, 4, 3), 0, 1);
  ASSERT_EQ(comparison.epoch_log_ratios.size(), 4U);
  EXPECT_NEAR(comparison.ratio.low, 1.02, 1e-9);
  EXPECT_NEAR(comparison.ratio.high, 1.02, 1e-9);
  EXPECT_NEAR(compare_arms(drifting(1.02, 4, 3), 1, 0).ratio.mid, 1 / 1.02, 1e-9);
}

TEST(CompareArms, AnEpochIsTheMedianOfItsRounds) {
  std::vector<ArmTime> times = drifting(1.1, 3, 3);
  times[1].us *= 50;  // one disturbed round of the first epoch
  EXPECT_NEAR(compare_arms(times, 0, 1).ratio.high, 1.1, 1e-9);
}

TEST(CompareArms, ARoundWithOneArmAloneDoesNotCount) {
  std::vector<ArmTime> times = drifting(1.1, 2, 1);
  times.push_back({1, 2, 0, 1e6});
  EXPECT_EQ(compare_arms(times, 0, 1).epoch_log_ratios.size(), 2U);
  EXPECT_TRUE(std::isnan(compare_arms(times, 0, 7).ratio.mid));
}

TEST(CompareArms, AMeanOverThereAndBackCancelsALinearDrift) {
  std::vector<ArmTime> times;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const double slots[4] = {0, 0.1, 0.2, 0.3};  // A B B A
    times.push_back({0, epoch, 0, std::exp(slots[0])});
    times.push_back({1, epoch, 0, std::exp(slots[1])});
    times.push_back({1, epoch, 0, std::exp(slots[2])});
    times.push_back({0, epoch, 0, std::exp(slots[3])});
  }
  EXPECT_NEAR(compare_arms(times, 0, 1).log_ratio.mid, 0, 1e-12);
}

TEST(CompareArms, AZeroTimeIsRefused) {
  std::vector<ArmTime> times = drifting(1, 2, 2);
  times[2].us = 0;
  EXPECT_THROW(compare_arms(times, 0, 1), std::invalid_argument);
  times[2].us = std::nan("");
  EXPECT_THROW(summarise_arm(times, 0), std::invalid_argument);
}

TEST(CompareArms, TheIntervalOverEpochsCoversTheTruth) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> placement(0, 0.01);
  int covered = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<ArmTime> times;
    for (int epoch = 0; epoch < 4; ++epoch) {
      const double shift = placement(random);  // of arm 1 against arm 0, the same all epoch
      for (int round = 0; round < 3; ++round) {
        times.push_back({0, epoch, round, 1});
        times.push_back({1, epoch, round, std::exp(shift)});
      }
    }
    const Interval ratio = compare_arms(times, 0, 1).ratio;
    if (ratio.low <= 1 && ratio.high >= 1) ++covered;
  }
  EXPECT_GT(covered, 925);
  EXPECT_LT(covered, 975);
}

TEST(SummariseArm, CountsAndSummarises) {
  const ArmSummary summary = summarise_arm(
      std::vector<ArmTime>{{0, 0, 0, 2}, {0, 0, 1, 4}, {0, 1, 0, 8}, {1, 1, 0, 99}}, 0);
  EXPECT_EQ(summary.samples, 3);
  EXPECT_EQ(summary.epochs, 2);
  EXPECT_DOUBLE_EQ(summary.median_us, 5.5);
  EXPECT_LT(summary.low_us, 3);
  EXPECT_GT(summary.high_us, 8);
  EXPECT_DOUBLE_EQ(summary.spread_percent, 100 * 1.4826 * 2 / 4);
  EXPECT_EQ(summarise_arm({}, 0).samples, 0);
  EXPECT_TRUE(std::isnan(summarise_arm({}, 0).median_us));
}

}  // namespace
}  // namespace fusetune
