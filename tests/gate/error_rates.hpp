#pragma once
// How often rules are wrong, over pairs of kernels whose true ratio is known, on the clock of the
// simulated device and with its noise (docs/gate.md). For the gate's own test and for the program
// that prints the table.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "harness/device/simulated/simulated_clock.hpp"
#include "harness/gate/two_stage.hpp"

namespace fusetune::gate_rates {

/// Session 2 %, drift 1.5 %, placement 1 % per kernel and epoch, 1.5 % per sample, and 3 % of the
/// samples late by 20 % on average.
SimulatedNoise usual_noise();

constexpr int kRounds = 5;

/// Two kernels with placements of their own. Every process is a session of its own.
class NoisyPair : public Pair {
 public:
  NoisyPair(const SimulatedNoise& noise, std::uint64_t seed, double ratio);
  NoisyPair(const NoisyPair&) = delete;
  NoisyPair& operator=(const NoisyPair&) = delete;

  bool add_epochs(int count, std::vector<double>& log_ratios) override;
  bool add_process(int epochs, std::vector<double>& log_ratios) override;

  /// Samples of one kernel on one memory, in a session of its own: what a tool stores that times
  /// one program after the other.
  std::vector<double> samples_alone(bool candidate, int count);

 private:
  double sample(std::uint64_t kernel);
  double epoch();
  void begin_session();

  Simulation simulation_;
  SimulatedClock clock_;
  double ratio_;
  std::uint64_t seed_;
  std::uint64_t sessions_ = 0;
  bool is_running_ = false;  ///< the session that add_epochs() goes on with
};

struct Rates {
  int pairs = 0;
  int regressions = 0, passes = 0, open = 0;
  double mean_epochs = 0;     ///< of the screening
  double mean_processes = 0;  ///< over all pairs
  double share(int count) const { return static_cast<double>(count) / pairs; }
};

/// Of the whole gate, each pair a gate of its own.
Rates rates_of_gate(int pairs, double ratio, const TwoStageRules& rules, std::uint64_t seed);

/// A rule that looks at the epochs of one process, and its looks: what a trial says.
using Rule = std::function<Trial(std::span<const double>)>;
/// Of the screening alone by another rule: `regressions` are trials that lean to slower.
Rates rates_of_screen(int pairs, double ratio, const Rule& rule, std::uint64_t seed);

/// An interval of a ratio's logarithm at 95 %.
using IntervalOf = std::function<Interval(std::span<const double>)>;
/// How many of the intervals over so many epochs hold the truth, as a share.
double coverage(int pairs, int epochs, const IntervalOf& interval, std::uint64_t seed);

/// Two sets of stored samples, the baseline's first: whether a tool's rule calls the second slower.
using StoredRule = std::function<bool(std::span<const double>, std::span<const double>)>;
double share_called_slower(int pairs, double ratio, int samples, const StoredRule& rule,
                           std::uint64_t seed);

// Rules that are not ours: what they give on the same pairs. And that the test can fail.

/// Medians, and a fixed threshold.
StoredRule fixed_threshold(double share);
/// Two-sided, at 5 %, by the normal approximation, and the median is slower.
StoredRule mann_whitney();
/// Means that differ by more than the smaller relative standard deviation, and slower.
StoredRule least_noise();
/// Percentiles of the medians of samples drawn from the epochs with replacement.
Interval percentile_bootstrap(std::span<const double> log_ratios);
/// As judge(), with the whole alpha at each look and a look after each epoch from four to twenty.
Trial judge_unspent(std::span<const double> log_ratios);

}  // namespace fusetune::gate_rates
