#include "harness/stats/standings.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace fusetune {
namespace {

/// Arms at these ratios to arm 0, over epochs of two rounds with a placement of each arm.
std::vector<ArmTime> times_of(const std::vector<double>& ratios, int epochs, double sigma,
                              std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> placement(0, sigma);
  std::vector<ArmTime> times;
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (std::size_t a = 0; a < ratios.size(); ++a) {
      const double us = 100 * ratios[a] * std::exp(placement(random));
      for (int round = 0; round < 2; ++round)
        for (int pass = 0; pass < 2; ++pass)
          times.push_back({static_cast<std::int32_t>(a), epoch, round, us});
    }
  return times;
}

TEST(Standings, AreAgainstTheFastest) {
  const std::vector<std::int32_t> arms{0, 1, 2};
  const Standings found = rank_arms(times_of({1.1, 1, 1.3}, 3, 0, 1), arms, 0.95, Spread::own);
  EXPECT_EQ(found.leader, 1);
  ASSERT_EQ(found.arms.size(), 3U);
  EXPECT_NEAR(found.arms[0].log_ratio.mid, std::log(1.1), 1e-12);
  EXPECT_NEAR(found.arms[2].log_ratio.low, std::log(1.3), 1e-9);
  EXPECT_EQ(found.arms[1].log_ratio.high, 0);
  EXPECT_EQ(rank_arms({}, {}, 0.95, Spread::own).leader, -1);
}

TEST(Standings, WhatSharesNoRoundIsNotDropped) {
  std::vector<ArmTime> times = times_of({1, 2}, 2, 0, 1);
  for (ArmTime& time : times)
    if (time.arm == 1) time.round += 10;
  const std::vector<std::int32_t> arms{0, 1};
  const Standings found = rank_arms(times, arms, 0.95, Spread::pooled);
  EXPECT_EQ(found.arms[1].log_ratio.low, -std::numeric_limits<double>::infinity());
}

TEST(Standings, PooledSpreadTellsArmsApartAfterTwoEpochs) {
  std::vector<double> ratios{1};
  std::vector<std::int32_t> arms{0};
  for (int a = 1; a < 40; ++a) {
    ratios.push_back(1.08);
    arms.push_back(a);
  }
  const std::vector<ArmTime> times = times_of(ratios, 2, 0.01, 5);
  const auto dropped = [&](Spread spread) {
    int count = 0;
    for (const Standing& one : rank_arms(times, arms, 0.99, spread).arms)
      count += one.log_ratio.low > 0.005 ? 1 : 0;
    return count;
  };
  EXPECT_EQ(dropped(Spread::pooled), 39);
  EXPECT_LT(dropped(Spread::own), 20) << "a t interval over two epochs knows little";
}

TEST(Standings, PooledIntervalsHoldTheTruth) {
  const std::vector<std::int32_t> arms{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<double> ratios(10, 1.5);
  ratios[0] = 1;  // the leader is known
  int held = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    for (const Standing& one :
         rank_arms(times_of(ratios, 3, 0.01, seed), arms, 0.95, Spread::pooled).arms) {
      if (one.arm == 0) continue;
      ++all;
      held += one.log_ratio.low < std::log(1.5) && one.log_ratio.high > std::log(1.5) ? 1 : 0;
    }
  const double share = static_cast<double>(held) / all;
  EXPECT_GT(share, 0.92);
  EXPECT_LT(share, 0.98);
}

}  // namespace
}  // namespace fusetune
