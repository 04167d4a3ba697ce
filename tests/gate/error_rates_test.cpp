// The gate gates itself: its error rates over pairs of known ratio, with fixed seeds. A rule that
// is wrong in one of the usual ways has to show here.

#include "tests/gate/error_rates.hpp"

#include <gtest/gtest.h>

namespace fusetune {
namespace {

using namespace gate_rates;

constexpr int kPairs = 2000;
constexpr std::uint64_t kSeed = 20260;
/// Of the screening, which leans to slower at a ratio of just 1 + delta: what is allowed, and two
/// standard errors of so many pairs.
constexpr double kBorderMax = 0.025 + 0.007;

Trial spent(std::span<const double> log_ratios) { return judge(log_ratios, {}); }
Interval by_t(std::span<const double> log_ratios) { return t_interval(log_ratios); }

TEST(ErrorRates, AtMostOneIdenticalPairInAHundredAlarms) {
  const Rates rates = rates_of_gate(kPairs, 1, {}, kSeed);
  EXPECT_LE(rates.share(rates.regressions), 0.01);
  EXPECT_GE(rates.share(rates.passes), 0.99);
}

TEST(ErrorRates, FivePercentAreFound) {
  const Rates rates = rates_of_gate(kPairs, 1.05, {}, kSeed + 10000);
  EXPECT_GE(rates.share(rates.regressions), 0.95);
  EXPECT_LE(rates.share(rates.passes), 0.001);
}

TEST(ErrorRates, TheBorderAlarmsAsRarelyAsAlphaSays) {
  const Rates screen = rates_of_screen(kPairs, 1.03, spent, kSeed + 20000);
  EXPECT_LE(screen.share(screen.regressions), kBorderMax);
  const Rates gate = rates_of_gate(kPairs, 1.03, {}, kSeed + 30000);
  EXPECT_LE(gate.share(gate.regressions), 0.01 + 0.005);
}

TEST(ErrorRates, IntervalsHoldTheTruth) {
  for (const int epochs : {4, 6, 8, 12}) {
    const double share = coverage(kPairs, epochs, by_t, kSeed + 40000);
    EXPECT_GE(share, 0.93) << epochs;
    EXPECT_LE(share, 0.97) << epochs;
  }
}

// What these tests are worth: rules that are wrong do not pass them.

TEST(ErrorRates, UnspentAlphaIsFoundOut) {
  const Rates screen = rates_of_screen(kPairs, 1.03, judge_unspent, kSeed + 20000);
  EXPECT_GT(screen.share(screen.regressions), kBorderMax);
}

TEST(ErrorRates, APercentileBootstrapIsFoundOut) {
  EXPECT_LT(coverage(kPairs, 4, percentile_bootstrap, kSeed + 40000), 0.93);
}

TEST(ErrorRates, AFixedThresholdOverStoredTimesIsFoundOut) {
  EXPECT_GT(share_called_slower(kPairs, 1, 100, fixed_threshold(0.03), kSeed), 0.01);
  EXPECT_GT(share_called_slower(kPairs, 1, 20, mann_whitney(), kSeed), 0.01);
  EXPECT_GT(share_called_slower(kPairs, 1, 100, least_noise(), kSeed), 0.01);
}

}  // namespace
}  // namespace fusetune
