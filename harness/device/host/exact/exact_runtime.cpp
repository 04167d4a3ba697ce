#include "harness/device/host/exact/exact_runtime.hpp"

#include <algorithm>
#include <bit>

#include "harness/device/host/fault_guard.hpp"
#include "harness/device/host/fibre_stacks.hpp"

namespace fusetune {

namespace {

/// Times are renumbered between launches before they could overflow within one.
constexpr std::uint32_t kTimeMax = 0xc0000000u;
constexpr std::uintptr_t kStackBytes = 8u << 20;

}  // namespace

void ExactRuntime::watch(std::vector<WatchedTensor> tensors) {
  watching_ = !tensors.empty();
  blind_ = false;
  watched_.set(std::move(tensors));
  memory_shadow_.reserve(watched_.shadow_bytes());
  watch_start_ = ++clock_.time;
}

void ExactRuntime::overlook(const std::set<Status>& kinds) {
  race_floor_ = kinds.count(Status::race) != 0 ? ~std::uint32_t{0} : 0;
  written_mask_ = kinds.count(Status::uninitialised_read) != 0 ? 0 : ~std::uint32_t{0};
  bounds_overlooked_ = kinds.count(Status::out_of_bounds) != 0;
  changes_overlooked_ = kinds.count(Status::input_modified) != 0;
}

std::vector<UnwrittenRange> ExactRuntime::unwritten() const {
  std::vector<UnwrittenRange> found;
  if (blind_) return found;
  for (std::size_t i = 0; i < watched_.tensors().size(); ++i) {
    const WatchedTensor& tensor = watched_.tensors()[i];
    if (!tensor.writable || tensor.initialised || tensor.row_bytes <= 0) continue;
    for (std::int64_t row = 0; row < tensor.rows; ++row) {
      const std::size_t begin = watched_.shadow_of(i, row, 0);
      const std::size_t end = begin + static_cast<std::size_t>(tensor.row_bytes);
      for (std::size_t at = begin; at < end;) {
        const std::size_t from = memory_shadow_.end_of_run(at, end, watch_start_, true);
        at = memory_shadow_.end_of_run(from, end, watch_start_, false);
        if (from < at)
          found.push_back({tensor.name,
                           row * tensor.stride_bytes + static_cast<std::int64_t>(from - begin),
                           static_cast<std::int64_t>(at - from)});
      }
    }
  }
  return found;
}

void ExactRuntime::trace(bool on) {
  if (on) tracer_.clear();
  tracing_ = on;
}

void ExactRuntime::begin_launch(const Launch& launch) {
  launch_ = launch;
  violation_.reset();
  stretches_.fill({});
  block_starts_.clear();
  traced_sites_.clear();
  shared_.set(*launch.module, launch.dynamic_shared, launch.dynamic_shared_bytes);
  shared_shadow_.reserve(shared_.bytes());
  if (clock_.time > kTimeMax) renumber();
  clock_.wave_shift = std::countr_zero(static_cast<unsigned>(launch.module->table().wave_size));
  launch_start_ = ++clock_.time;
  const ft_host_dim& block = *launch.module->table().block_dim;
  one_dimensional_ = block.y == 1 && block.z == 1;
  stack_top_ = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (tracing_)
    tracer_.begin_launch(launch.entry, launch.module->table().wave_size, launch.threads);
  exact_runtime = this;
}

void ExactRuntime::end_launch() { exact_runtime = nullptr; }

void ExactRuntime::renumber() {
  memory_shadow_.renumber(watch_start_);
  shared_shadow_.renumber(clock_.time + 1);
  watch_start_ = 1;
  clock_ = {};
}

void ExactRuntime::begin_block(std::uint64_t block) {
  clock_.block = clock_.barrier = ++clock_.time;
  block_starts_.emplace_back(clock_.time, block);
}

void ExactRuntime::end_block() {
  if (tracing_) tracer_.end_block();
}

void ExactRuntime::barrier() {
  clock_.barrier = ++clock_.time;
  if (tracing_) tracer_.barrier();
}

void ExactRuntime::wave_sync(int wave) {
  clock_.wave_sync[static_cast<std::size_t>(wave)] = ++clock_.time;
}

void ExactRuntime::wave_operation() {
  if (tracing_) tracer_.wave_operation();
}

void ExactRuntime::range(std::uintptr_t address, std::size_t bytes, bool write,
                         std::uintptr_t site) {
  Stretch& stretch = stretch_of(site);
  const bool known = address >= stretch.begin && address + bytes <= stretch.end;
  if (!known && in_own_frames(address)) return;
  if (!(known && (stretch.writable || !write)) && !look_up(address, bytes, write, site, &stretch))
    return;
  if (stretch.kind == Stretch::Kind::read_only) return;
  for (; bytes >= 16; bytes -= 16, address += 16) judge_piece<16>(stretch, address, write, site);
  if ((bytes & 8) != 0) judge_piece<8>(stretch, std::exchange(address, address + 8), write, site);
  if ((bytes & 4) != 0) judge_piece<4>(stretch, std::exchange(address, address + 4), write, site);
  for (bytes &= 3; bytes > 0; --bytes) judge_piece<1>(stretch, address++, write, site);
}

bool ExactRuntime::look_up(std::uintptr_t address, std::size_t bytes, bool write,
                           std::uintptr_t site, Stretch* stretch) {
  if (tracing_) return trace_access(address, bytes, write, site);
  if (launch_.module->contains(address) || shared_.find(address) != nullptr)
    return look_up_shared(address, bytes, write, site, stretch);
  if (!watching_ || on_a_stack(address)) return false;
  const auto found = watched_.find(address, bytes, write);
  if (!found && bounds_overlooked_) return false;
  if (!found) fail_bounds(address, bytes, write, site);
  if (write && !found->writable && !changes_overlooked_)
    fail({Violation::Kind::input_modified,
          side(write, false, site),
          {},
          address,
          bytes,
          0,
          nullptr});
  using Kind = Stretch::Kind;
  *stretch = {found->begin,    found->end,
              found->shadow,   found->tracked ? Kind::tensor : Kind::read_only,
              found->writable, found->initialised};
  return true;
}

bool ExactRuntime::look_up_shared(std::uintptr_t address, std::size_t bytes, bool write,
                                  std::uintptr_t site, Stretch* stretch) {
  const BlockShared::Variable* variable = shared_.find(address);
  if (variable == nullptr && launch_.module->owns(address, bytes)) return false;
  if (variable == nullptr || address + bytes > variable->end)
    fail_bounds(address, bytes, write, site);
  *stretch = {variable->begin, variable->end, variable->shadow, Stretch::Kind::shared, true, false};
  return true;
}

bool ExactRuntime::trace_access(std::uintptr_t address, std::size_t bytes, bool write,
                                std::uintptr_t site) {
  const BlockShared::Variable* variable = shared_.find(address);
  if (variable == nullptr && (launch_.module->contains(address) || on_a_stack(address)))
    return false;
  const std::uintptr_t place =
      variable != nullptr ? variable->shadow + (address - variable->begin) : address;
  traced_sites_.insert(code_offset(site));
  tracer_.access(code_offset(site), thread(), place, bytes, write, variable != nullptr);
  return false;
}

bool ExactRuntime::on_a_stack(std::uintptr_t address) const {
  return stack_top_ - address < kStackBytes || launch_.stacks->contains(address);
}

// ---- What went wrong ------------------------------------------------------------------------

Violation::Side ExactRuntime::side(bool write, bool atomic, std::uintptr_t site) const {
  return {write, atomic, code_offset(site), thread(), block_starts_.back().second};
}

Violation::Side ExactRuntime::side_of(AccessCell cell, bool write) const {
  const auto after =
      std::upper_bound(block_starts_.begin(), block_starts_.end(), time_of(cell),
                       [](std::uint32_t time, const auto& start) { return time < start.first; });
  const std::uint64_t block = after == block_starts_.begin() ? 0 : std::prev(after)->second;
  return {write, is_atomic(cell), site_of(cell), thread_of(cell), block};
}

void ExactRuntime::fail(const Violation& violation) {
  violation_ = violation;
  exact_runtime = nullptr;
  FaultGuard::leave();
}

void ExactRuntime::fail_bounds(std::uintptr_t address, std::size_t bytes, bool write,
                               std::uintptr_t site) {
  fail({Violation::Kind::out_of_bounds, side(write, false, site), {}, address, bytes, 0, nullptr});
}

void ExactRuntime::fail_conflict(const Shadow::Conflict& conflict, std::uintptr_t address,
                                 std::size_t bytes, bool write, bool atomic, std::uintptr_t site) {
  fail({conflict.uninitialised ? Violation::Kind::uninitialised : Violation::Kind::race,
        side(write, atomic, site), side_of(conflict.earlier, conflict.earlier_write),
        address + conflict.byte, bytes, 0, nullptr});
}

void ExactRuntime::check_alignment(std::uintptr_t address, std::size_t bytes, std::uintptr_t site) {
  if (address % bytes != 0) fail_misaligned(address, bytes, true, site);
}

void ExactRuntime::fail_misaligned(std::uintptr_t address, std::size_t alignment, bool write,
                                   std::uintptr_t site) {
  fail({Violation::Kind::misaligned, side(write, false, site), {}, address, alignment, 0, nullptr});
}

void ExactRuntime::fail_index(std::int64_t index, const char* array, std::uintptr_t site) {
  fail({Violation::Kind::index, side(false, false, site), {}, 0, 0, index, array});
}

}  // namespace fusetune
