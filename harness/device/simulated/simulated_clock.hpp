#pragma once
// The virtual clock of the simulated device. Time passes by launches alone, with the noise that
// the script asks for, drawn by counters: the same launches give the same stamps, whatever the
// machine does meanwhile.

#include <cstdint>
#include <map>
#include <string>

#include "harness/spec/simulation.hpp"

namespace fusetune {

class SimulatedClock {
 public:
  explicit SimulatedClock(const Simulation& simulation) : simulation_(simulation) {}

  /// A new session: time 0, other draws for another seed.
  void begin(std::uint64_t session_seed);
  /// An arm meets new memory: its placement is drawn again.
  void new_memory() { ++memory_; }
  /// A launch of this code, `us` long without noise.
  void pass(std::uint64_t code, double us);
  /// The number of the running sample.
  std::uint64_t sample() const { return samples_; }
  /// The time, and the end of a sample: the next one has a draw of its own.
  double stamp_us();

 private:
  /// Standard normal, uniform in (0, 1): functions of the session's seed and these counters.
  double normal(std::uint64_t kind, std::uint64_t a, std::uint64_t b = 0) const;
  double uniform(std::uint64_t kind, std::uint64_t a, std::uint64_t b = 0) const;
  double sample_factor();

  const Simulation& simulation_;
  std::uint64_t seed_ = 0;
  std::uint64_t memory_ = 0;
  std::uint64_t samples_ = 0;
  double now_us_ = 0;
  double sample_us_ = 0;  ///< of the running sample, without its noise
  double drift_ = 0;
  double session_ = 0;
};

}  // namespace fusetune
