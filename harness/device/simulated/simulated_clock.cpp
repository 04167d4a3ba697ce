#include "harness/device/simulated/simulated_clock.hpp"

#include <cmath>
#include <numbers>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

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

void SimulatedClock::begin(std::uint64_t session_seed) {
  const std::uint64_t seeds[] = {simulation_.seed, session_seed};
  seed_ = hash64(seeds, sizeof seeds);
  memory_ = 0;
  samples_ = 0;
  now_us_ = 0;
  sample_us_ = 0;
  session_ = simulation_.noise.session * normal(kSession, 0);
  drift_ = simulation_.noise.drift * normal(kDrift, 0);
}

void SimulatedClock::pass(std::uint64_t code, double us) {
  const double at_us = now_us_ + sample_us_;
  for (const Throttling& one : simulation_.throttling)
    if (at_us >= one.from_us && at_us < one.to_us) us *= one.factor;
  if (simulation_.noise.placement > 0)
    us *= std::exp(simulation_.noise.placement * normal(kPlacement, code, memory_));
  sample_us_ += us;
}

double SimulatedClock::sample_factor() {
  const SimulatedNoise& noise = simulation_.noise;
  ++samples_;
  // Keeps its standard deviation.
  const double fresh = std::sqrt(1 - noise.drift_memory * noise.drift_memory);
  drift_ = noise.drift_memory * drift_ + noise.drift * fresh * normal(kDrift, samples_);
  double factor = std::exp(session_ + drift_ + noise.sample * normal(kSample, samples_));
  if (uniform(kLate, samples_) < noise.outliers)
    factor *= 1 - noise.outlier_excess * std::log(uniform(kLateness, samples_));
  return factor;
}

double SimulatedClock::stamp_us() {
  // Two stamps with nothing between them are the same moment.
  if (sample_us_ > 0) {
    now_us_ += sample_us_ * sample_factor();
    sample_us_ = 0;
  }
  double shown_us = now_us_;
  for (const ClockJump& jump : simulation_.clock_jumps)
    if (now_us_ >= jump.at_us) shown_us += jump.by_us;
  return shown_us;
}

}  // namespace fusetune
