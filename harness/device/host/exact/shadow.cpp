#include "harness/device/host/exact/shadow.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace fusetune {

LazyMemory::~LazyMemory() {
  if (memory_ != nullptr) ::munmap(memory_, size_bytes_);
}

void LazyMemory::reserve(std::size_t size_bytes) {
  if (size_bytes <= size_bytes_) return;
  if (memory_ != nullptr) ::munmap(memory_, size_bytes_);
  memory_ = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  size_bytes_ = memory_ == MAP_FAILED ? 0 : size_bytes;
  if (memory_ != MAP_FAILED) return;
  memory_ = nullptr;
  throw std::bad_alloc();
}

void Shadow::reserve(std::size_t bytes) {
  writers_.reserve(bytes * sizeof(AccessCell));
  readers_.reserve(bytes * sizeof(AccessCell));
  other_readers_.reserve(bytes * sizeof(AccessCell));
  const std::size_t lines = (bytes >> kLineShift) + 1;
  read_times_.reserve(lines * sizeof(std::uint32_t));
  write_times_.reserve(lines * sizeof(std::uint32_t));
  bytes_ = std::max(bytes_, bytes);
}

// Readers that are ordered before everything that this block does from now on can be forgotten: a
// newer one of the same block stands for them before later blocks. A reader of an earlier block
// conflicts with every later write, so it needs no company.
void Shadow::add_reader(AccessCell& one, AccessCell& two, AccessCell me, const ExactClock& clock,
                        std::uint32_t horizon) {
  const auto live = [&](AccessCell cell) {
    return time_of(cell) >= std::max(horizon, clock.barrier) && is_atomic(cell) <= is_atomic(me);
  };
  const bool foreign = time_of(one) >= horizon && time_of(one) < clock.block;
  if (foreign && is_atomic(one) <= is_atomic(me)) return;
  if (!live(one)) {
    one = me;
    two = live(two) ? two : 0;
    return;
  }
  if (is_atomic(me) && !is_atomic(one)) return;
  if (thread_of(one) == thread_of(me)) {
    one = me;
    return;
  }
  const int wave = clock.wave_of(me);
  const bool company = live(two);
  if (clock.wave_of(one) != wave) {
    if (!company || clock.wave_of(two) == clock.wave_of(one) || thread_of(two) == thread_of(me))
      two = me;
  } else if (time_of(one) < clock.wave_sync[static_cast<std::size_t>(wave)]) {
    one = me;
  } else if (!company || (clock.wave_of(two) == wave &&
                          (thread_of(two) == thread_of(me) ||
                           time_of(two) < clock.wave_sync[static_cast<std::size_t>(wave)]))) {
    two = me;
  }
}

bool Shadow::find_bad_read(std::size_t first, int bytes, AccessCell me, const ExactClock& clock,
                           Limits limits, Conflict* conflict) const {
  const AccessCell* writers = writers_.as<const AccessCell>() + first;
  for (int i = 0; i < bytes; ++i) {
    if (readable(writers[i], me, clock, limits)) continue;
    *conflict = {time_of(writers[i]) < limits.written_since, true, writers[i],
                 static_cast<std::size_t>(i)};
    return true;
  }
  return false;
}

bool Shadow::find_bad_write(std::size_t first, int bytes, AccessCell me, const ExactClock& clock,
                            std::uint32_t horizon, bool readers, Conflict* conflict) const {
  const AccessCell* writer = writers_.as<const AccessCell>() + first;
  const AccessCell* one = readers_.as<const AccessCell>() + first;
  const AccessCell* two = other_readers_.as<const AccessCell>() + first;
  for (int i = 0; i < bytes; ++i) {
    const auto found = [&](AccessCell earlier, bool earlier_write) {
      *conflict = {false, earlier_write, earlier, static_cast<std::size_t>(i)};
      return true;
    };
    if (clock.conflict(writer[i], me, horizon)) return found(writer[i], true);
    if (!readers) continue;
    if (clock.conflict(one[i], me, horizon)) return found(one[i], false);
    if (clock.conflict(two[i], me, horizon)) return found(two[i], false);
  }
  return false;
}

std::size_t Shadow::end_of_run(std::size_t first, std::size_t end, std::uint32_t since,
                               bool state) const {
  const AccessCell* writers = writers_.as<const AccessCell>();
  const AccessCell limit = AccessCell{since} << 32;
  while (first < end && (writers[first] >= limit) == state) ++first;
  return first;
}

void Shadow::renumber(std::uint32_t since) {
  AccessCell* writers = writers_.as<AccessCell>();
  for (std::size_t i = 0; i < bytes_; ++i)
    writers[i] = time_of(writers[i]) >= since ? make_cell(1, 0, 0, false) : 0;
  std::fill_n(readers_.as<AccessCell>(), bytes_, 0);
  std::fill_n(other_readers_.as<AccessCell>(), bytes_, 0);
  const std::size_t lines = bytes_ == 0 ? 0 : (bytes_ >> kLineShift) + 1;
  std::fill_n(read_times_.as<std::uint32_t>(), lines, 0u);
  std::fill_n(write_times_.as<std::uint32_t>(), lines, 0u);
}

}  // namespace fusetune
