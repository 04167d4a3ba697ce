#pragma once
// Arms against each other: a round pairs them, an epoch is one independent observation.

#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/stats.hpp"

namespace fusetune {

/// One timed span, as the statistics see it.
struct ArmTime {
  std::int32_t arm = 0, epoch = 0, round = 0;
  double us = 0;
};

/// Arm `b` over arm `a`: a ratio above 1 says that `b` is slower.
struct Comparison {
  std::vector<double> epoch_log_ratios;  ///< per epoch that has both: median over its rounds
  Interval log_ratio{};                  ///< t interval over the epochs
  Interval ratio{};                      ///< the same, exponentiated: [0, NaN, infinity] of none
};

/// A round counts when both arms have samples in it, by mean(log b) - mean(log a). Throws
/// std::invalid_argument for a time that is not positive and finite.
Comparison compare_arms(std::span<const ArmTime> times, std::int32_t a, std::int32_t b,
                        double confidence = 0.95);

/// One arm alone, for tables and reports.
struct ArmSummary {
  std::int64_t samples = 0;
  std::int64_t epochs = 0;
  double median_us = 0;            ///< median over epochs of the epochs' medians; NaN of none
  double low_us = 0, high_us = 0;  ///< t interval over the logs of the epochs' medians
  double spread_percent = 0;       ///< MAD sigma of all samples over their median
};

/// Throws std::invalid_argument as compare_arms does.
ArmSummary summarise_arm(std::span<const ArmTime> times, std::int32_t arm,
                         double confidence = 0.95);

}  // namespace fusetune
