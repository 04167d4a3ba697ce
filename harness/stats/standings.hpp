#pragma once
// Many arms against the best of them: what a race drops, and when it may stop.

#include <cstdint>
#include <span>
#include <vector>

#include "harness/stats/paired.hpp"

namespace fusetune {

struct Standing {
  std::int32_t arm = 0;
  Interval log_ratio{};  ///< over the leader; 0 of the leader itself
};

struct Standings {
  std::int32_t leader = -1;  ///< -1 of no arm
  std::vector<Standing> arms;
  double widest = 0;  ///< half of the widest finite interval, as a logarithm
};

enum class Spread {
  own,    ///< of each arm, over its epochs
  pooled  ///< of all arms together: few epochs of many arms know it well, if it is the same for all
};

/// The arms by compare_arms, each against the one with the least mean. An arm that shares no round
/// with the leader has an infinite interval.
Standings rank_arms(std::span<const ArmTime> times, std::span<const std::int32_t> arms,
                    double confidence, Spread spread);

}  // namespace fusetune
