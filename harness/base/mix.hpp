#pragma once
// Counter-based mixing: any value can be made again from its counters alone.

#include <cstdint>

namespace fusetune {

/// A well-mixed function of 64 bits (the finaliser of splitmix64).
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// A bijection of 32 bits, so that what it made can be told apart and undone.
constexpr std::uint32_t mix32(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352Du;
  x = (x ^ (x >> 15)) * 0x846CA68Bu;
  return x ^ (x >> 16);
}

/// unmix32(mix32(x)) == x.
constexpr std::uint32_t unmix32(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x43021123u;
  x = (x ^ (x >> 15) ^ (x >> 30)) * 0x1D69E2A5u;
  return x ^ (x >> 16);
}
static_assert(unmix32(mix32(0)) == 0 && unmix32(mix32(0xDEADBEEFu)) == 0xDEADBEEFu);

}  // namespace fusetune
