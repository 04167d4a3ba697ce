#pragma once
// The virtual clocks of the simulated device: its own, and that of the machine that fills its
// queue. Time passes by launches, waiting and rest alone, with the noise that the script asks for,
// drawn by counters: the same calls give the same times, whatever the machine does meanwhile.

#include <cstdint>
#include <deque>

#include "harness/spec/simulation.hpp"

namespace fusetune {

class SimulatedClock {
 public:
  explicit SimulatedClock(const Simulation& simulation) : simulation_(simulation) {}

  /// When the queue came to a point, and what had gone through it by then.
  struct Moment {
    double us = 0;       ///< by the device's clock
    double done_us = 0;  ///< in truth
    double busy_us = 0;
    double cycles = 0;
  };

  /// A new session: time 0.
  void begin();
  /// Draws as this seed has them, from the first on.
  void draw_from(std::uint64_t session_seed);
  /// An arm meets new memory: its placement is drawn again.
  void new_memory() { ++memory_; }

  /// A launch of this code, `us` long without noise.
  void launch(std::uint64_t code, double us);
  /// The same within a replay; begin_replay() comes first.
  void begin_replay();
  void replayed_launch(std::uint64_t code, double us);
  void copy(double us);
  /// The device is busy with something that is no launch.
  void delay(double us) { done_us_ += us; }
  /// Of what was passed last: the device's clock does not see it.
  void hide_last() { hidden_us_ += last_us_; }

  /// The number of the running sample.
  std::uint64_t sample() const { return samples_; }
  /// What passes from now on has a draw of its own.
  void end_sample();
  /// The end of what is in the queue.
  Moment moment() const;
  /// This machine waits for a moment, or for the whole queue.
  void wait_for(const Moment& moment);
  void wait() { wait_for(moment()); }
  double host_us() const { return host_us_; }
  void rest(double us);

 private:
  /// Standard normal, uniform in (0, 1): functions of the session's seed and these counters.
  double normal(std::uint64_t kind, std::uint64_t a, std::uint64_t b = 0) const;
  double uniform(std::uint64_t kind, std::uint64_t a, std::uint64_t b = 0) const;
  double sample_factor();
  /// The queue takes one more, which begins after `gap_us`.
  void enqueue(double gap_us);
  void pass(std::uint64_t code, double us);

  const Simulation& simulation_;
  std::uint64_t seed_ = 0;
  std::uint64_t memory_ = 0;
  std::uint64_t samples_ = 0;
  bool sampling_ = false;  ///< the running sample has its draw
  double factor_ = 1;      ///< of the running sample
  double host_us_ = 0;     ///< of this machine
  double done_us_ = 0;     ///< when the device is done with its queue
  double hidden_us_ = 0;   ///< that the device's clock did not see
  double busy_us_ = 0;
  double cycles_ = 0;
  double last_us_ = 0;
  std::deque<double> ends_;  ///< of what waits in the queue
  double drift_ = 0;
  double session_ = 0;
};

}  // namespace fusetune
