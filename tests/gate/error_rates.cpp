#include "tests/gate/error_rates.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "harness/base/hash.hpp"
#include "harness/stats/paired.hpp"

namespace fusetune::gate_rates {

namespace {

constexpr double kLaunchUs = 100;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Of the standard deviation to the mean.
double relative_noise(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1)) / mean;
}

void count(Leaning leaning, Rates& rates) {
  if (leaning == Leaning::slower)
    ++rates.regressions;
  else if (leaning == Leaning::open)
    ++rates.open;
  else
    ++rates.passes;
}

}  // namespace

SimulatedNoise usual_noise() {
  SimulatedNoise noise;
  noise.session = 0.02;
  noise.drift = 0.015;
  noise.drift_memory = 0.98;
  noise.placement = 0.01;
  noise.sample = 0.015;
  noise.outliers = 0.03;
  noise.outlier_excess = 0.2;
  return noise;
}

NoisyPair::NoisyPair(const SimulatedNoise& noise, std::uint64_t seed, double ratio)
    : clock_(simulation_), ratio_(ratio), seed_(seed) {
  simulation_.noise = noise;
}

void NoisyPair::begin_session() {
  const std::uint64_t seeds[] = {seed_, ++sessions_};
  clock_.begin();
  clock_.draw_from(hash64(seeds, sizeof seeds));
}

double NoisyPair::sample(std::uint64_t kernel) {
  const double from_us = clock_.moment().us;
  clock_.launch(kernel, kLaunchUs * (kernel == 2 ? ratio_ : 1));
  clock_.end_sample();
  return clock_.moment().us - from_us;
}

double NoisyPair::epoch() {
  clock_.new_memory();
  std::vector<ArmTime> times;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t draw[] = {seed_, sessions_, clock_.sample()};
    const std::int32_t first = hash64(draw, sizeof draw) % 2 == 0 ? 0 : 1;
    for (const std::int32_t arm : {first, 1 - first, 1 - first, first})
      times.push_back({arm, 0, round, sample(static_cast<std::uint64_t>(arm) + 1)});
  }
  return compare_arms(times, 0, 1).epoch_log_ratios.front();
}

bool NoisyPair::add_epochs(int count, std::vector<double>& log_ratios) {
  if (!is_running_) begin_session();
  is_running_ = true;
  for (int i = 0; i < count; ++i) log_ratios.push_back(epoch());
  return true;
}

bool NoisyPair::add_process(int epochs, std::vector<double>& log_ratios) {
  is_running_ = false;
  begin_session();
  std::vector<double> own;
  for (int i = 0; i < epochs; ++i) own.push_back(epoch());
  log_ratios.push_back(mean_of(own));
  return true;
}

std::vector<double> NoisyPair::samples_alone(bool candidate, int count) {
  is_running_ = false;
  begin_session();
  clock_.new_memory();
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) samples.push_back(sample(candidate ? 2 : 1));
  return samples;
}

Rates rates_of_gate(int pairs, double ratio, const TwoStageRules& rules, std::uint64_t seed) {
  Rates rates;
  for (rates.pairs = 0; rates.pairs < pairs; ++rates.pairs) {
    NoisyPair pair(usual_noise(), seed + static_cast<std::uint64_t>(rates.pairs), ratio);
    const JudgedPair judged{&pair};
    const PairResult result = judge_pairs({&judged, 1}, rules).front();
    rates.mean_epochs += static_cast<double>(result.epochs.size()) / pairs;
    rates.mean_processes += static_cast<double>(result.processes.size()) / pairs;
    const Verdict verdict = result.judgement.verdict;
    if (verdict == Verdict::regression)
      ++rates.regressions;
    else if (verdict == Verdict::pass || verdict == Verdict::improvement)
      ++rates.passes;
    else
      ++rates.open;
  }
  return rates;
}

Rates rates_of_screen(int pairs, double ratio, const Rule& rule, std::uint64_t seed) {
  Rates rates;
  for (rates.pairs = 0; rates.pairs < pairs; ++rates.pairs) {
    NoisyPair pair(usual_noise(), seed + static_cast<std::uint64_t>(rates.pairs), ratio);
    std::vector<double> epochs;
    Trial trial = rule(epochs);
    while (trial.next_look > 0) {
      pair.add_epochs(trial.next_look - static_cast<int>(epochs.size()), epochs);
      trial = rule(epochs);
    }
    rates.mean_epochs += static_cast<double>(epochs.size()) / pairs;
    count(trial.leaning, rates);
  }
  return rates;
}

double coverage(int pairs, int epochs, const IntervalOf& interval, std::uint64_t seed) {
  int held = 0;
  for (int i = 0; i < pairs; ++i) {
    NoisyPair pair(usual_noise(), seed + static_cast<std::uint64_t>(i), 1);
    std::vector<double> log_ratios;
    pair.add_epochs(epochs, log_ratios);
    const Interval one = interval(log_ratios);
    if (one.low <= 0 && one.high >= 0) ++held;
  }
  return static_cast<double>(held) / pairs;
}

double share_called_slower(int pairs, double ratio, int samples, const StoredRule& rule,
                           std::uint64_t seed) {
  int called = 0;
  for (int i = 0; i < pairs; ++i) {
    NoisyPair pair(usual_noise(), seed + static_cast<std::uint64_t>(i), ratio);
    const std::vector<double> before = pair.samples_alone(false, samples);
    if (rule(before, pair.samples_alone(true, samples))) ++called;
  }
  return static_cast<double>(called) / pairs;
}

StoredRule fixed_threshold(double share) {
  return [share](std::span<const double> before, std::span<const double> after) {
    return median(after) > (1 + share) * median(before);
  };
}

StoredRule mann_whitney() {
  return [](std::span<const double> before, std::span<const double> after) {
    double wins = 0;
    for (const double a : after)
      for (const double b : before) wins += a > b ? 1 : a == b ? 0.5 : 0;
    const auto n = static_cast<double>(before.size()), m = static_cast<double>(after.size());
    const double z = (wins - n * m / 2) / std::sqrt(n * m * (n + m + 1) / 12);
    return z > 1.959964;
  };
}

StoredRule least_noise() {
  return [](std::span<const double> before, std::span<const double> after) {
    const double change = mean_of(after) / mean_of(before) - 1;
    return change > std::min(relative_noise(before), relative_noise(after));
  };
}

Interval percentile_bootstrap(std::span<const double> log_ratios) {
  constexpr std::size_t kResamples = 1000;
  std::vector<double> medians, drawn(log_ratios.size());
  for (std::uint64_t i = 0; i < kResamples; ++i) {
    for (std::uint64_t k = 0; k < drawn.size(); ++k) {
      const std::uint64_t draw[] = {i, k};
      drawn[k] = log_ratios[hash64(draw, sizeof draw) % log_ratios.size()];
    }
    medians.push_back(median(drawn));
  }
  return {quantile(medians, 0.025), median(log_ratios), quantile(medians, 0.975)};
}

Trial judge_unspent(std::span<const double> log_ratios) {
  Trial trial;
  for (int look = 4; look <= 20; ++look) {
    DecisionRules rules;
    rules.looks = {look};
    trial = judge(log_ratios, rules);
    if (trial.next_look > 0 || trial.leaning != Leaning::open) return trial;
  }
  return trial;
}

}  // namespace fusetune::gate_rates
