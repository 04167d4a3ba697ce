#pragma once
// What happened to each byte of some memory: its last write and two of its reads. Two are enough to
// tell whether a write races with any: either they are of two waves, or no other wave has read.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "harness/device/host/exact/access_cell.hpp"

namespace fusetune {

/// Zeroed memory that costs nothing until it is touched.
class LazyMemory {
 public:
  LazyMemory() = default;
  ~LazyMemory();
  LazyMemory(const LazyMemory&) = delete;
  LazyMemory& operator=(const LazyMemory&) = delete;

  /// At least so much; what it held is lost when it grows. Throws std::bad_alloc.
  void reserve(std::size_t size_bytes);
  template <typename T>
  T* as() const {
    return static_cast<T*>(memory_);
  }

 private:
  void* memory_ = nullptr;
  std::size_t size_bytes_ = 0;
};

class Shadow {
 public:
  struct Limits {
    std::uint32_t horizon = 0;        ///< older accesses race with nothing
    std::uint32_t written_since = 0;  ///< a byte that was not is uninitialised; 0: does not matter
  };
  /// What is wrong with an access, at its first byte that shows it.
  struct Conflict {
    bool uninitialised = false;
    bool earlier_write = false;
    AccessCell earlier = 0;
    std::size_t byte = 0;  ///< of the access
  };

  void reserve(std::size_t bytes);

  /// Checks and notes an access of N bytes. False and the reason when it conflicts.
  template <int N>
  bool read(std::size_t first, AccessCell me, const ExactClock& clock, Limits limits,
            Conflict* conflict);
  template <int N>
  bool write(std::size_t first, AccessCell me, const ExactClock& clock, Limits limits,
             Conflict* conflict);
  /// Whether N bytes are initialised, for what reads without being a reader: atomic changes.
  template <int N>
  bool written(std::size_t first, Limits limits, Conflict* conflict) const;

  /// The first byte from `first` on whose state of being written is not `state`, at most `end`.
  std::size_t end_of_run(std::size_t first, std::size_t end, std::uint32_t since, bool state) const;
  /// Keeps only whether a byte was written since `since`: as time 1.
  void renumber(std::uint32_t since);

 private:
  static constexpr int kLineShift = 6;

  template <int N>
  static bool all_equal(const AccessCell* cells);
  template <int N>
  static void fill(AccessCell* cells, AccessCell value);
  template <int N>
  static std::uint32_t last_in_lines(const LazyMemory& times, std::size_t first);
  template <int N>
  static void stamp_lines(const LazyMemory& times, std::size_t first, std::uint32_t time);
  template <int N>
  void note_read(std::size_t first, AccessCell me, const ExactClock& clock, std::uint32_t horizon);

  static bool readable(AccessCell writer, AccessCell me, const ExactClock& clock, Limits limits) {
    return time_of(writer) >= limits.written_since && !clock.conflict(writer, me, limits.horizon);
  }
  static void add_reader(AccessCell& one, AccessCell& two, AccessCell me, const ExactClock& clock,
                         std::uint32_t horizon);
  bool find_bad_read(std::size_t first, int bytes, AccessCell me, const ExactClock& clock,
                     Limits limits, Conflict* conflict) const;
  bool find_bad_write(std::size_t first, int bytes, AccessCell me, const ExactClock& clock,
                      std::uint32_t horizon, bool readers, Conflict* conflict) const;

  std::size_t bytes_ = 0;
  LazyMemory writers_, readers_, other_readers_;
  /// Per 64 bytes, when one of them was last read or written: most memory is only one of both.
  LazyMemory read_times_, write_times_;
};

// ---- Inlined into the hooks -----------------------------------------------------------------

typedef AccessCell CellPair __attribute__((vector_size(16)));

template <int N>
bool Shadow::all_equal(const AccessCell* cells) {
  if constexpr (N == 1) return true;
  CellPair difference{};
  const CellPair first = {cells[0], cells[0]};
  for (int i = 0; i < N; i += 2) {
    CellPair pair;
    std::memcpy(&pair, cells + i, sizeof pair);
    difference |= pair ^ first;
  }
  return (difference[0] | difference[1]) == 0;
}

template <int N>
void Shadow::fill(AccessCell* cells, AccessCell value) {
  if constexpr (N == 1) {
    *cells = value;
  } else {
    const CellPair pair = {value, value};
    for (int i = 0; i < N; i += 2) std::memcpy(cells + i, &pair, sizeof pair);
  }
}

template <int N>
std::uint32_t Shadow::last_in_lines(const LazyMemory& times, std::size_t first) {
  const auto* time = times.as<const std::uint32_t>();
  const std::uint32_t a = time[first >> kLineShift], b = time[(first + N - 1) >> kLineShift];
  return a > b ? a : b;
}

template <int N>
void Shadow::stamp_lines(const LazyMemory& times, std::size_t first, std::uint32_t time) {
  times.as<std::uint32_t>()[first >> kLineShift] = time;
  times.as<std::uint32_t>()[(first + N - 1) >> kLineShift] = time;
}

template <int N>
bool Shadow::read(std::size_t first, AccessCell me, const ExactClock& clock, Limits limits,
                  Conflict* conflict) {
  if (limits.written_since != 0 || last_in_lines<N>(write_times_, first) >= limits.horizon) {
    const AccessCell* writers = writers_.as<AccessCell>() + first;
    const bool fine = all_equal<N>(writers) && readable(writers[0], me, clock, limits);
    if (!fine && find_bad_read(first, N, me, clock, limits, conflict)) return false;
  }
  note_read<N>(first, me, clock, limits.horizon);
  return true;
}

template <int N>
void Shadow::note_read(std::size_t first, AccessCell me, const ExactClock& clock,
                       std::uint32_t horizon) {
  AccessCell* one = readers_.as<AccessCell>() + first;
  AccessCell* two = other_readers_.as<AccessCell>() + first;
  stamp_lines<N>(read_times_, first, time_of(me));
  if (!all_equal<N>(one) || !all_equal<N>(two)) {
    for (int i = 0; i < N; ++i) add_reader(one[i], two[i], me, clock, horizon);
    return;
  }
  AccessCell new_one = *one, new_two = *two;
  add_reader(new_one, new_two, me, clock, horizon);
  if (new_one != *one) fill<N>(one, new_one);
  if (new_two != *two) fill<N>(two, new_two);
}

template <int N>
bool Shadow::write(std::size_t first, AccessCell me, const ExactClock& clock, Limits limits,
                   Conflict* conflict) {
  AccessCell* writers = writers_.as<AccessCell>() + first;
  const bool readers = last_in_lines<N>(read_times_, first) >= limits.horizon;
  const bool fine =
      !readers && all_equal<N>(writers) && !clock.conflict(writers[0], me, limits.horizon);
  if (!fine && find_bad_write(first, N, me, clock, limits.horizon, readers, conflict)) return false;
  fill<N>(writers, me);
  stamp_lines<N>(write_times_, first, time_of(me));
  return true;
}

template <int N>
bool Shadow::written(std::size_t first, Limits limits, Conflict* conflict) const {
  for (std::size_t i = 0; i < N; ++i) {
    if (time_of(writers_.as<const AccessCell>()[first + i]) >= limits.written_since) continue;
    *conflict = {true, true, 0, i};
    return false;
  }
  return true;
}

}  // namespace fusetune
