#pragma once
// One timed span: launches of one arm back to back over the ring, between two stamps of the
// device's own clock.

#include <cstdint>
#include <vector>

#include "harness/measure/ring.hpp"
#include "harness/verify/binding.hpp"

namespace fusetune {

/// An arm with its launches bound; which launch arguments are tensors, and which tensor.
class BoundArm {
 public:
  /// `prototype` gives what does not change from set to set: strides, symbols, scalars.
  BoundArm(const RunnableVariant& variant, const Case& which, const Arena& prototype);

  /// Launches the whole list once on a set of the ring.
  Outcome launch(Device& device, const Ring& ring, std::int64_t set);

 private:
  struct Slot {
    std::size_t launch = 0, argument = 0, ordinal = 0;
  };

  const LoadedCode* code_;
  std::vector<KernelLaunch> launches_;
  std::vector<Slot> slots_;
};

struct Span {
  Outcome outcome;
  bool no_time = false;  ///< the outcome is the clock's, not the arm's
  double us = 0;         ///< of the whole span
};

/// Times spans over a ring. Each begins at the set where the one before it ended, whichever arm
/// ran: a set is used again only after all others were.
class SpanTimer {
 public:
  SpanTimer(Device& device, Ring& ring) : device_(&device), ring_(&ring) {}

  /// `launches` whole launch lists. A span that the clock says took no time has failed.
  Span run(BoundArm& arm, std::int64_t launches);

 private:
  Device* device_;
  Ring* ring_;
  std::int64_t set_ = 0;
};

/// Launch lists per sample: whole sweeps of the ring where one takes at most a few spans' time, so
/// that every placement has equal weight; otherwise as many as the span needs.
struct SpanLength {
  std::int64_t launches = 1;
  bool whole_sweeps = true;
};
SpanLength span_length(double us_per_launch, std::int64_t sets, double span_us_min);

}  // namespace fusetune
