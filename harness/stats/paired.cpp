#include "harness/stats/paired.hpp"

#include <cmath>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace fusetune {

namespace {

double log_of(const ArmTime& time) {
  if (!(time.us > 0) || !std::isfinite(time.us)) {
    throw std::invalid_argument("a time of " + std::to_string(time.us) + " us was sampled");
  }
  return std::log(time.us);
}

struct Mean {
  double sum = 0;
  int n = 0;

  void add(double value) {
    sum += value;
    ++n;
  }
  double value() const { return sum / n; }
};

}  // namespace

Comparison compare_arms(std::span<const ArmTime> times, std::int32_t a, std::int32_t b,
                        double confidence) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::pair<Mean, Mean>> rounds;
  for (const ArmTime& time : times) {
    if (time.arm != a && time.arm != b) continue;
    auto& [mean_a, mean_b] = rounds[{time.epoch, time.round}];
    if (time.arm == a) mean_a.add(log_of(time));
    if (time.arm == b) mean_b.add(log_of(time));
  }
  std::map<std::int32_t, std::vector<double>> epochs;
  for (const auto& [place, means] : rounds) {
    if (means.first.n == 0 || means.second.n == 0) continue;
    epochs[place.first].push_back(means.second.value() - means.first.value());
  }
  Comparison result;
  for (const auto& [epoch, log_ratios] : epochs) {
    result.epoch_log_ratios.push_back(median(log_ratios));
  }
  result.log_ratio = t_interval(result.epoch_log_ratios, confidence);
  result.ratio = {std::exp(result.log_ratio.low), std::exp(result.log_ratio.mid),
                  std::exp(result.log_ratio.high)};
  return result;
}

ArmSummary summarise_arm(std::span<const ArmTime> times, std::int32_t arm, double confidence) {
  std::vector<double> all;
  std::map<std::int32_t, std::vector<double>> epochs;
  for (const ArmTime& time : times) {
    if (time.arm != arm) continue;
    log_of(time);  // refuses what is no time
    all.push_back(time.us);
    epochs[time.epoch].push_back(time.us);
  }
  std::vector<double> medians;
  std::vector<double> logs;
  for (const auto& [epoch, values] : epochs) {
    medians.push_back(median(values));
    logs.push_back(std::log(medians.back()));
  }
  const Interval interval = t_interval(logs, confidence);
  ArmSummary result;
  result.samples = static_cast<std::int64_t>(all.size());
  result.epochs = static_cast<std::int64_t>(epochs.size());
  result.median_us = median(medians);
  result.low_us = std::exp(interval.low);
  result.high_us = std::exp(interval.high);
  result.spread_percent = 100 * mad_sigma(all) / median(all);
  return result;
}

}  // namespace fusetune
