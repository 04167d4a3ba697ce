#pragma once
// Judges every access of an instrumented kernel, or hands it to the tracer. The hooks of the module
// find it through the thread that they run on.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/base/status.hpp"
#include "harness/device/host/exact/block_shared.hpp"
#include "harness/device/host/exact/shadow.hpp"
#include "harness/device/host/exact/tracer.hpp"
#include "harness/device/host/exact/violation.hpp"
#include "harness/device/host/exact/watched_memory.hpp"

namespace fusetune {

class FibreStacks;

/// What an access does. A change reads as well.
enum class Access { read, write, atomic_load, atomic_store, atomic_change };
constexpr bool writes(Access access) {
  return access == Access::write || access >= Access::atomic_store;
}
constexpr bool is_atomic(Access access) { return access >= Access::atomic_load; }

class ExactRuntime {
 public:
  /// The running launch; outlives it.
  struct Launch {
    const HostModule* module = nullptr;
    std::string entry;
    int threads = 0;                    ///< of a block
    const int* fibre_thread = nullptr;  ///< who runs, where the kernel needs fibres
    const FibreStacks* stacks = nullptr;
    std::uintptr_t dynamic_shared = 0;
    std::int64_t dynamic_shared_bytes = 0;
  };

  void watch(std::vector<WatchedTensor> tensors);
  /// Lets races, uninitialised reads, accesses out of bounds or changes of inputs pass.
  void overlook(const std::set<Status>& kinds);
  std::vector<UnwrittenRange> unwritten() const;
  void trace(bool on);
  bool tracing() const { return tracing_; }
  TracedTraffic traced() const { return tracer_.traffic(); }

  /// Code that tells nothing may have written anything since watch().
  void begin_blind_launch() { blind_ = true; }
  void begin_launch(const Launch& launch);
  /// Also after a launch that was cut off. Sites that were traced need their places.
  void end_launch();
  const std::set<std::uintptr_t>& traced_sites() const { return traced_sites_; }
  void end_trace(const Tracer::SourcePlace& place) { tracer_.end_launch(place); }

  void begin_block(std::uint64_t block);
  void end_block();
  void barrier();
  void wave_sync(int wave);
  void wave_operation();

  /// Of the last launch.
  const std::optional<Violation>& violation() const { return violation_; }
  const WatchedMemory& watched() const { return watched_; }
  const BlockShared& shared() const { return shared_; }

  // ---- Called from the hooks --------------------------------------------------------------

  /// N bytes, at most 16. `site` is where the access returns to.
  template <int N, Access ACCESS>
  void access(std::uintptr_t address, std::uintptr_t site);
  void range(std::uintptr_t address, std::size_t bytes, bool write, std::uintptr_t site);
  /// Sees to it that the access is aligned, because the compiler's own check does not.
  void check_alignment(std::uintptr_t address, std::size_t bytes, std::uintptr_t site);
  [[noreturn]] void fail_misaligned(std::uintptr_t address, std::size_t alignment, bool write,
                                    std::uintptr_t site);
  [[noreturn]] void fail_index(std::int64_t index, const char* array, std::uintptr_t site);

 private:
  /// What an access near the last one of the same site can go by.
  struct Stretch {
    enum class Kind : std::uint8_t { nothing, read_only, tensor, shared };
    std::uintptr_t begin = 1, end = 0;
    std::size_t shadow = 0;
    Kind kind = Kind::nothing;
    bool writable = false;
    bool initialised = false;
  };
  static constexpr std::size_t kStretches = 256;
  static constexpr std::uintptr_t kFrameBytes = 48 * 1024;

  static bool in_own_frames(std::uintptr_t address) {
    return address - reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < kFrameBytes;
  }
  int thread() const;
  std::uintptr_t code_offset(std::uintptr_t site) const;
  Stretch& stretch_of(std::uintptr_t site) { return stretches_[(site ^ site >> 8) % kStretches]; }
  template <int N, Access ACCESS>
  void judge(const Stretch& stretch, std::uintptr_t address, std::uintptr_t site);
  template <int N>
  void judge_piece(const Stretch& stretch, std::uintptr_t address, bool write,
                   std::uintptr_t site) {
    write ? judge<N, Access::write>(stretch, address, site)
          : judge<N, Access::read>(stretch, address, site);
  }
  /// Finds the stretch of an access; false when there is nothing to judge. Leaves when it is wrong.
  bool look_up(std::uintptr_t address, std::size_t bytes, bool write, std::uintptr_t site,
               Stretch* stretch);
  bool look_up_shared(std::uintptr_t address, std::size_t bytes, bool write, std::uintptr_t site,
                      Stretch* stretch);
  bool trace_access(std::uintptr_t address, std::size_t bytes, bool write, std::uintptr_t site);
  bool on_a_stack(std::uintptr_t address) const;
  Violation::Side side(bool write, bool atomic, std::uintptr_t site) const;
  Violation::Side side_of(AccessCell cell, bool write) const;
  [[noreturn]] void fail(const Violation& violation);
  [[noreturn]] void fail_bounds(std::uintptr_t address, std::size_t bytes, bool write,
                                std::uintptr_t site);
  [[noreturn]] void fail_conflict(const Shadow::Conflict& conflict, std::uintptr_t address,
                                  std::size_t bytes, bool write, bool atomic, std::uintptr_t site);
  void renumber();

  Launch launch_;
  std::array<Stretch, kStretches> stretches_;
  ExactClock clock_;
  std::uint32_t launch_start_ = 1, watch_start_ = 1;
  /// What to overlook: everything is ordered, or written, from these times on.
  std::uint32_t race_floor_ = 0, written_mask_ = ~std::uint32_t{0};
  bool bounds_overlooked_ = false, changes_overlooked_ = false;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> block_starts_;  ///< time and linear index
  WatchedMemory watched_;
  BlockShared shared_;
  Shadow memory_shadow_, shared_shadow_;
  std::uintptr_t stack_top_ = 0;  ///< of the machine's stack, where the launch began
  bool one_dimensional_ = true;
  bool watching_ = false;
  bool blind_ = false;
  bool tracing_ = false;
  Tracer tracer_;
  std::set<std::uintptr_t> traced_sites_;
  std::optional<Violation> violation_;
};

/// The runtime that this thread's instrumented code reports to; null when none runs.
extern constinit thread_local ExactRuntime* exact_runtime;

// ---- Inlined into the hooks -----------------------------------------------------------------

inline int ExactRuntime::thread() const {
  if (launch_.fibre_thread != nullptr) return *launch_.fibre_thread;
  const ft_host_module& table = launch_.module->table();
  const auto x = static_cast<int>(table.thread_idx->x);
  if (one_dimensional_) return x;
  const ft_host_dim& block = *table.block_dim;
  return static_cast<int>(x + block.x * (table.thread_idx->y + block.y * table.thread_idx->z));
}

/// The call itself: what it returns to may be another line.
inline std::uintptr_t ExactRuntime::code_offset(std::uintptr_t site) const {
  return site - 1 - launch_.module->base();
}

template <int N, Access ACCESS>
inline void ExactRuntime::access(std::uintptr_t address, std::uintptr_t site) {
  constexpr bool write = writes(ACCESS);
  Stretch& stretch = stretch_of(site);
  if (address >= stretch.begin && address + N <= stretch.end) [[likely]] {
    if (!write && stretch.kind == Stretch::Kind::read_only) return;
    if (!write || stretch.writable) return judge<N, ACCESS>(stretch, address, site);
  } else if (in_own_frames(address)) {
    return;
  }
  if (look_up(address, N, write, site, &stretch) && stretch.kind != Stretch::Kind::read_only)
    judge<N, ACCESS>(stretch, address, site);
}

template <int N, Access ACCESS>
inline void ExactRuntime::judge(const Stretch& stretch, std::uintptr_t address,
                                std::uintptr_t site) {
  const bool shared = stretch.kind == Stretch::Kind::shared;
  Shadow& shadow = shared ? shared_shadow_ : memory_shadow_;
  const std::uint32_t written_since = shared                ? clock_.block
                                      : stretch.initialised ? 0
                                                            : watch_start_;
  const Shadow::Limits limits{std::max(shared ? clock_.block : launch_start_, race_floor_),
                              written_since & written_mask_};
  const AccessCell me = make_cell(clock_.time, thread(), code_offset(site), is_atomic(ACCESS));
  const std::size_t first = stretch.shadow + (address - stretch.begin);
  Shadow::Conflict conflict;
  bool fine = true;
  if constexpr (ACCESS == Access::atomic_change) fine = shadow.written<N>(first, limits, &conflict);
  if constexpr (writes(ACCESS))
    fine = fine && shadow.write<N>(first, me, clock_, limits, &conflict);
  else
    fine = shadow.read<N>(first, me, clock_, limits, &conflict);
  if (!fine) fail_conflict(conflict, address, N, writes(ACCESS), is_atomic(ACCESS), site);
}

}  // namespace fusetune
