#include "harness/gate/null_test.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace fusetune {

namespace {

constexpr int kNullEpochs = 8;
constexpr double kNullMargin = 0.005;  // beside 1, that an interval may lie
constexpr int kNullTries = 2;          // one miss in twenty is chance

std::int64_t bytes_of(const Case& which) {
  const Traffic traffic = traffic_of(which);
  return traffic.read_bytes + traffic.write_bytes;
}

NullTest null_test(const Candidates& candidates, std::size_t number, DuelGround& ground) {
  NullTest test;
  test.case_key = candidates.which(number).key();
  Duel duel(ground, candidates.arm(number), candidates.arm(number));
  for (int tries = 0; tries < kNullTries; ++tries) {
    std::vector<double> log_ratios;
    if (!duel.add_epochs(kNullEpochs, log_ratios)) {
      test.outcome = duel.failure()->outcome;
      return test;
    }
    const Interval log_ratio = t_interval(log_ratios);
    test.ratio = {std::exp(log_ratio.low), std::exp(log_ratio.mid), std::exp(log_ratio.high)};
    test.failed = test.ratio.low > 1 + kNullMargin || test.ratio.high < 1 - kNullMargin;
    if (!test.failed) break;
  }
  return test;
}

}  // namespace

double NullTest::half_width() const {
  return outcome.ok() && ratio.low > 0 ? 0.5 * std::log(ratio.high / ratio.low) : 0;
}

std::vector<NullTest> null_tests(const Candidates& candidates,
                                 const std::vector<std::size_t>& numbers, DuelGround& ground) {
  std::vector<NullTest> tests;
  if (numbers.empty()) return tests;
  const auto [least, most] =
      std::minmax_element(numbers.begin(), numbers.end(), [&](std::size_t a, std::size_t b) {
        return bytes_of(candidates.which(a)) < bytes_of(candidates.which(b));
      });
  for (const std::size_t number : std::set<std::size_t>{*least, *most})
    if (!ground.session.stop()) tests.push_back(null_test(candidates, number, ground));
  return tests;
}

double noise_of(const std::vector<NullTest>& tests) {
  double widest = 0;
  for (const NullTest& test : tests) widest = std::max(widest, test.half_width());
  return widest;
}

}  // namespace fusetune
