#include "harness/gate/null_test.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace fusetune {

namespace {

constexpr int kNullEpochs = 8;
constexpr double kNullMargin = 0.005;  // beside 1, that an interval may lie
constexpr int kNullTries = 3;
constexpr int kNullMisses = 2;  // one in twenty is chance

std::int64_t bytes_of(const Case& which) {
  const Traffic traffic = traffic_of(which);
  return traffic.read_bytes + traffic.write_bytes;
}

NullTest null_test(const Candidates& candidates, std::size_t number, double delta,
                   DuelGround& ground) {
  NullTest best;
  best.case_key = candidates.which(number).key();
  best.ratio = {0, 1, std::numeric_limits<double>::infinity()};
  Duel duel(ground, candidates.arm(number), candidates.arm(number));
  int misses = 0;
  for (int tries = 0; tries < kNullTries; ++tries) {
    std::vector<double> log_ratios;
    if (!duel.add_epochs(kNullEpochs, log_ratios)) {
      best.outcome = duel.failure()->outcome;
      return best;
    }
    const Interval log_ratio = t_interval(log_ratios);
    NullTest one = best;
    one.ratio = {std::exp(log_ratio.low), std::exp(log_ratio.mid), std::exp(log_ratio.high)};
    if (one.ratio.low > 1 + kNullMargin || one.ratio.high < 1 - kNullMargin) {
      one.failed = ++misses == kNullMisses;
      if (one.failed) return one;
      continue;
    }
    if (one.half_width() < best.half_width()) best = one;
    if (effective_delta({delta, best.half_width()}) <= delta) break;
  }
  return best;
}

}  // namespace

double NullTest::half_width() const {
  return outcome.ok() ? 0.5 * std::log(ratio.high / ratio.low) : 0;
}

std::vector<NullTest> null_tests(const Candidates& candidates,
                                 const std::vector<std::size_t>& numbers, double delta,
                                 DuelGround& ground) {
  std::vector<NullTest> tests;
  if (numbers.empty()) return tests;
  const auto [least, most] =
      std::minmax_element(numbers.begin(), numbers.end(), [&](std::size_t a, std::size_t b) {
        return bytes_of(candidates.which(a)) < bytes_of(candidates.which(b));
      });
  for (const std::size_t number : std::set<std::size_t>{*least, *most})
    if (!ground.session.stop()) tests.push_back(null_test(candidates, number, delta, ground));
  return tests;
}

double noise_of(const std::vector<NullTest>& tests) {
  double widest = 0;
  for (const NullTest& test : tests) widest = std::max(widest, test.half_width());
  return widest;
}

}  // namespace fusetune
