#include "harness/device/simulated/simulated_clock.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// Of copies: what they work on was not allocated for an arm.
constexpr std::uint64_t kNoCode = 0;

/// What a draw is for: one counter may stand in several of them.
enum Draw : std::uint64_t { kSession, kDrift, kPlacement, kSample, kLate, kLateness };

}  // namespace

double SimulatedClock::uniform(std::uint64_t kind, std::uint64_t a, std::uint64_t b) const {
  const std::uint64_t counters[] = {seed_, kind, a, b};
  constexpr double k53 = 1.0 / 9007199254740992.0;
  return (static_cast<double>(hash64(counters, sizeof counters) >> 11) + 0.5) * k53;
}

double SimulatedClock::normal(std::uint64_t kind, std::uint64_t a, std::uint64_t b) const {
  const double radius = std::sqrt(-2 * std::log(uniform(kind, a, 2 * b)));
  return radius * std::cos(2 * std::numbers::pi * uniform(kind, a, 2 * b + 1));
}

void SimulatedClock::begin() {
  host_us_ = done_us_ = hidden_us_ = busy_us_ = cycles_ = last_us_ = 0;
  ends_.clear();
  draw_from(0);
}

void SimulatedClock::draw_from(std::uint64_t session_seed) {
  const std::uint64_t seeds[] = {simulation_.seed, session_seed};
  seed_ = hash64(seeds, sizeof seeds);
  memory_ = 0;
  samples_ = 0;
  sampling_ = false;
  session_ = simulation_.noise.session * normal(kSession, 0);
  drift_ = simulation_.noise.drift * normal(kDrift, 0);
}

void SimulatedClock::enqueue(double gap_us) {
  const SimulatedQueue& queue = simulation_.queue;
  if (!queue.asynchronous) {
    done_us_ = std::max(done_us_, host_us_);
    return;
  }
  while (!ends_.empty() && ends_.front() <= host_us_) ends_.pop_front();
  if (std::ssize(ends_) >= queue.depth) {
    host_us_ = ends_.front();
    ends_.pop_front();
  }
  host_us_ += queue.launch_us;
  done_us_ = std::max(done_us_, host_us_) + gap_us;
}

void SimulatedClock::launch(std::uint64_t code, double us) {
  enqueue(simulation_.queue.launch_gap_us);
  pass(code, us);
  if (simulation_.queue.asynchronous)
    ends_.push_back(done_us_);
  else
    wait();
}

void SimulatedClock::begin_replay() {
  enqueue(simulation_.queue.graph_start_us);
  ends_.push_back(done_us_);
}

void SimulatedClock::replayed_launch(std::uint64_t code, double us) {
  done_us_ += simulation_.queue.graph_gap_us;
  pass(code, us);
  ends_.back() = done_us_;
}

void SimulatedClock::copy(double us) { launch(kNoCode, us); }

void SimulatedClock::pass(std::uint64_t code, double us) {
  double core_factor = 1;
  for (const Throttling& one : simulation_.throttling) {
    if (done_us_ < one.from_us || done_us_ >= one.to_us) continue;
    us *= one.factor;
    if (one.core) core_factor *= one.factor;
  }
  if (simulation_.noise.placement > 0 && code != kNoCode)
    us *= std::exp(simulation_.noise.placement * normal(kPlacement, code, memory_));
  if (!sampling_) factor_ = sample_factor();
  sampling_ = true;
  last_us_ = us * factor_;
  done_us_ += last_us_;
  busy_us_ += last_us_;
  cycles_ += last_us_ * simulation_.queue.core_mhz / core_factor;
}

double SimulatedClock::sample_factor() {
  const SimulatedNoise& noise = simulation_.noise;
  const std::uint64_t number = samples_ + 1;
  // Keeps its standard deviation.
  const double fresh = std::sqrt(1 - noise.drift_memory * noise.drift_memory);
  drift_ = noise.drift_memory * drift_ + noise.drift * fresh * normal(kDrift, number);
  double factor = std::exp(session_ + drift_ + noise.sample * normal(kSample, number));
  if (uniform(kLate, number) < noise.outliers)
    factor *= 1 - noise.outlier_excess * std::log(uniform(kLateness, number));
  return factor;
}

void SimulatedClock::end_sample() {
  // Two ends with nothing between them are one.
  if (sampling_) ++samples_;
  sampling_ = false;
}

SimulatedClock::Moment SimulatedClock::moment() const {
  Moment moment;
  moment.done_us = std::max(done_us_, host_us_);
  moment.busy_us = busy_us_;
  moment.cycles = cycles_;
  moment.us = moment.done_us - hidden_us_;
  for (const ClockJump& jump : simulation_.clock_jumps)
    if (moment.done_us >= jump.at_us) moment.us += jump.by_us;
  const SimulatedQueue& queue = simulation_.queue;
  if (queue.asynchronous && queue.tick_us > 0)
    moment.us = std::floor(moment.us / queue.tick_us) * queue.tick_us;
  return moment;
}

void SimulatedClock::wait_for(const Moment& moment) {
  host_us_ = std::max(host_us_, moment.done_us);
}

void SimulatedClock::rest(double us) { host_us_ += us; }

}  // namespace fusetune
