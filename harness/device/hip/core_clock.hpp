#pragma once
// How fast the compute units ran between two points of the queue: kernels of one thread note the
// cycles and the time.

#include <cstddef>
#include <cstdint>
#include <memory>

#include "harness/device/hip/hip_code.hpp"
#include "harness/device/hip/hip_object.hpp"
#include "harness/spec/target.hpp"

namespace fusetune::hip {

/// What one kernel of the clock writes.
struct CoreStamp {
  std::uint64_t cycles = 0;
  std::uint64_t ns = 0;
  std::uint64_t unit = 0;  ///< whose cycles: others count from another beginning
};

/// 0 where both cannot be compared, or lie too close to each other for their resolution.
double core_mhz(const CoreStamp& begin, const CoreStamp& end);

class CoreClock {
 public:
  static constexpr std::size_t kStamps = 4096;

  /// Nothing where the target has no such clock, or its compiler refuses the kernel. Throws what
  /// require() does.
  static std::unique_ptr<CoreClock> make(const Target& target);

  /// Enqueues a stamp into this place, below kStamps.
  hipError_t stamp(std::size_t place, hipStream_t stream);
  /// Once the queue has passed it.
  const CoreStamp& at(std::size_t place) const { return stamps()[place]; }

 private:
  CoreClock() = default;
  CoreStamp* stamps() const { return static_cast<CoreStamp*>(memory_.get()); }

  std::unique_ptr<HipCode> code_;
  hipFunction_t kernel_ = nullptr;
  HostMemory memory_;
};

}  // namespace fusetune::hip
