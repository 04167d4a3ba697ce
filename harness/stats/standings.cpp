#include "harness/stats/standings.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

namespace fusetune {

namespace {

constexpr double kUnbounded = std::numeric_limits<double>::infinity();

/// Sum and number of an arm's logs, per epoch and round.
using RoundLogs = std::map<std::pair<std::int32_t, std::int32_t>, std::pair<double, int>>;

/// Per epoch that both have: the median over its rounds.
std::vector<double> epoch_log_ratios(const RoundLogs& reference, const RoundLogs& arm) {
  std::map<std::int32_t, std::vector<double>> epochs;
  for (const auto& [place, sum] : arm) {
    const auto other = reference.find(place);
    if (other == reference.end()) continue;
    epochs[place.first].push_back(sum.first / sum.second -
                                  other->second.first / other->second.second);
  }
  std::vector<double> medians;
  for (const auto& [epoch, logs] : epochs) medians.push_back(median(logs));
  return medians;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? kUnbounded : sum / static_cast<double>(values.size());
}

/// Standard deviation over epochs that all arms but the leader share; and what it is known by.
std::pair<double, std::size_t> pooled_spread(const std::vector<std::vector<double>>& ratios,
                                             std::size_t leader) {
  double squares = 0;
  std::size_t freedom = 0;
  for (std::size_t a = 0; a < ratios.size(); ++a) {
    if (a == leader || ratios[a].size() < 2) continue;
    const double middle = mean_of(ratios[a]);
    for (const double ratio : ratios[a]) squares += (ratio - middle) * (ratio - middle);
    freedom += ratios[a].size() - 1;
  }
  return {freedom == 0 ? kUnbounded : std::sqrt(squares / static_cast<double>(freedom)), freedom};
}

}  // namespace

Standings rank_arms(std::span<const ArmTime> times, std::span<const std::int32_t> arms,
                    double confidence, Spread spread) {
  Standings standings;
  if (arms.empty()) return standings;
  std::map<std::int32_t, RoundLogs> logs;
  for (const ArmTime& time : times) {
    auto& [sum, count] = logs[time.arm][{time.epoch, time.round}];
    sum += std::log(time.us);
    ++count;
  }
  std::size_t leader = 0;
  double best = kUnbounded;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const double middle = mean_of(epoch_log_ratios(logs[arms.front()], logs[arms[a]]));
    if (middle < best) {
      best = middle;
      leader = a;
    }
  }
  standings.leader = arms[leader];
  std::vector<std::vector<double>> ratios;
  for (const std::int32_t arm : arms)
    ratios.push_back(epoch_log_ratios(logs[standings.leader], logs[arm]));
  const auto [sigma, freedom] = pooled_spread(ratios, leader);
  for (std::size_t a = 0; a < arms.size(); ++a) {
    Standing standing{arms[a], {0, 0, 0}};
    if (a != leader) {
      standing.log_ratio = t_interval(ratios[a], confidence);
      if (spread == Spread::pooled && freedom > 0 && !ratios[a].empty()) {
        const double half = student_t_quantile(0.5 + 0.5 * confidence, freedom) * sigma /
                            std::sqrt(static_cast<double>(ratios[a].size()));
        const double middle = standing.log_ratio.mid;
        standing.log_ratio = {middle - half, middle, middle + half};
      }
      const double half = standing.log_ratio.high - standing.log_ratio.mid;
      if (std::isfinite(half)) standings.widest = std::max(standings.widest, half);
    }
    standings.arms.push_back(standing);
  }
  return standings;
}

}  // namespace fusetune
