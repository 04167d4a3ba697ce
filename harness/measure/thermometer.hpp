#pragma once
// The reference copy: what the memory does when no arm is timed. Its clock cannot be read, but a
// copy far beyond the cache shows when it is slower than before.

#include <cstdint>

#include "harness/verify/arena.hpp"

namespace fusetune {

class Thermometer {
 public:
  /// Touches four times the cache. Throws std::bad_alloc.
  Thermometer(Device& device, std::int64_t cache_bytes);

  /// Microseconds of a copy: the median of three spans. 0 when the device fails.
  double read_us();
  /// Enqueues one copy, which leaves nothing else in the cache.
  void copy();

 private:
  double span_us();

  Device* device_;
  std::int64_t bytes_;
  DeviceMemory source_, destination_;
  int copies_ = 1;
};

}  // namespace fusetune
