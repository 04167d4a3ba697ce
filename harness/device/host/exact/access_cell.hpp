#pragma once
// One access to one byte as 8 bytes, and the clock that says which accesses are ordered.

#include <array>
#include <cstdint>

namespace fusetune {

/// When (32 bits), by which thread of its block (10), from which code offset (21), atomic or not
/// (1). Later ones are greater; 0 is no access.
using AccessCell = std::uint64_t;

constexpr int kCellThreadShift = 22;
constexpr std::uintptr_t kCellSiteMax = (std::uintptr_t{1} << 21) - 1;

/// A site that does not fit is kept as 0, which is no code.
constexpr AccessCell make_cell(std::uint32_t time, int thread, std::uintptr_t site, bool atomic) {
  const std::uintptr_t kept = site <= kCellSiteMax ? site : 0;
  return AccessCell{time} << 32 | static_cast<AccessCell>(thread) << kCellThreadShift | kept << 1 |
         (atomic ? 1u : 0u);
}
constexpr std::uint32_t time_of(AccessCell cell) { return static_cast<std::uint32_t>(cell >> 32); }
constexpr int thread_of(AccessCell cell) {
  return static_cast<int>(cell >> kCellThreadShift & 0x3ff);
}
constexpr std::uintptr_t site_of(AccessCell cell) { return cell >> 1 & kCellSiteMax; }
constexpr bool is_atomic(AccessCell cell) { return (cell & 1) != 0; }

/// Grows at every block start, block barrier and wave_sync: what lies between two of them has one
/// time. It runs on over launches, so that nothing has to be cleared between them.
struct ExactClock {
  static constexpr int kWavesMax = 1024 / 32;

  std::uint32_t time = 1;
  std::uint32_t block = 1;    ///< when the running block began
  std::uint32_t barrier = 1;  ///< its last barrier, or its start
  std::array<std::uint32_t, kWavesMax> wave_sync{};
  int wave_shift = 6;

  int wave_of(AccessCell cell) const { return thread_of(cell) >> wave_shift; }

  /// Whether nothing orders the earlier access before `me`, which happens now. What is older than
  /// `horizon` is ordered: an earlier launch, and for shared memory an earlier block.
  bool unordered(AccessCell earlier, AccessCell me, std::uint32_t horizon) const {
    const std::uint32_t then = time_of(earlier);
    if (then < horizon) return false;
    if (then < block) return true;
    if (then < barrier || thread_of(earlier) == thread_of(me)) return false;
    const int wave = wave_of(me);
    return wave_of(earlier) != wave || then >= wave_sync[static_cast<std::size_t>(wave)];
  }
  /// The same for accesses of which one is a write: atomics do not conflict with each other.
  bool conflict(AccessCell earlier, AccessCell me, std::uint32_t horizon) const {
    return !(is_atomic(earlier) && is_atomic(me)) && unordered(earlier, me, horizon);
  }
};

}  // namespace fusetune
