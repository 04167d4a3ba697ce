#pragma once
// Whether the path that is timed does the work: what it leaves in every set of the ring is compared
// with what single launches leave, which were proved. Launches that were lost, that ran with
// another's arguments, or that rely on what an earlier one did, leave a set as it was before.

#include <cstdint>
#include <functional>

#include "harness/measure/span.hpp"
#include "harness/verify/digester.hpp"

namespace fusetune {

struct RingCheckLimits {
  /// Launch lists that are compared, whole sweeps of the ring and at least one: as many as find a
  /// bug of one launch in a thousand, unless so many bytes are compared before.
  std::int64_t lists = 1024;
  std::int64_t bytes = std::int64_t{64} << 20;
  /// Of the results of one set, above which nothing is compared unless digests are made.
  std::int64_t set_bytes_max = std::int64_t{256} << 20;
};

struct RingCheck {
  Outcome outcome;  ///< of a launch, or verification_failed with the first difference
  /// The path failed, or what ran beside it; or its results are wrong.
  bool launch_failed = false;
  std::int64_t lists = 0;  ///< that were compared
};

/// `host_works` is told when this machine is at work and no launch is waited for. With `digests`
/// made on the device, only what a digest finds to be different is carried and compared.
RingCheck check_ring(Device& device, Ring& ring, SpanTimer& timer, BoundArm& arm,
                     const RingCheckLimits& limits, const std::function<void()>& host_works,
                     const DigestRegions& digests = {});

}  // namespace fusetune
