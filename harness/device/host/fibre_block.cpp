#include "harness/device/host/fibre_block.hpp"

#include <fmt/format.h>

#include <bit>
#include <map>
#include <utility>

#include "harness/device/host/exact/exact_runtime.hpp"
#include "harness/device/host/fibre_switch.hpp"
#include "harness/device/host/schedule.hpp"

namespace fusetune {

namespace {

/// The block whose fibres run on this thread of the machine: modules call plain functions, which
/// have no other way to find it.
thread_local FibreBlock* running_block = nullptr;

}  // namespace

bool FibreBlock::run(const Program& program, std::uint64_t seed) {
  program_ = program;
  start(seed);
  running_block = this;
  turn_ = 0;
  current_ = -1;
  ft_host_enter(&main_, next().to);
  running_block = nullptr;
  return divergence_.empty();
}

void FibreBlock::start(std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(program_.thread_count);
  wave_size_ = program_.module->wave_size;
  wave_shift_ = std::countr_zero(static_cast<unsigned>(wave_size_));
  if (stack_pointer_.size() < count) {
    stacks_.reserve(count);
    stack_pointer_.resize(count);
    value_.resize(count);
    result_.resize(count);
    source_.resize(count);
    line_.resize(count);
    operation_.resize(count);
  }
  for (std::size_t i = 0; i < count; ++i) stack_pointer_[i] = stacks_.fresh(i);
  divergence_.clear();

  const int wave_count = (program_.thread_count + wave_size_ - 1) / wave_size_;
  waves_.assign(static_cast<std::size_t>(wave_count), Wave{});
  wave_order_.resize(waves_.size());
  for (int i = 0; i < wave_count; ++i) wave_order_[static_cast<std::size_t>(i)] = i;
  random_ = seed;
  order_lanes(seed);
  order_waves();
  for (int i = 0; i < wave_count; ++i) {
    LaneMask lanes = 0;
    for (int lane = 0; lane < wave_size_ && i * wave_size_ + lane < program_.thread_count; ++lane)
      lanes |= LaneMask{1} << position_of_[static_cast<std::size_t>(lane)];
    waves_[static_cast<std::size_t>(i)].ready = lanes;
  }
}

void FibreBlock::order_lanes(std::uint64_t seed) {
  const Permutation order(static_cast<std::uint64_t>(wave_size_), seed);
  for (std::size_t position = 0; position < static_cast<std::size_t>(wave_size_); ++position) {
    lane_of_[position] = static_cast<std::uint8_t>(order(position));
    position_of_[lane_of_[position]] = static_cast<std::uint8_t>(position);
  }
}

void FibreBlock::order_waves() {
  if (random_ == 0) return;
  for (std::size_t i = wave_order_.size(); i > 1; --i) {
    random_ = spread_bits(random_) | 1;
    std::swap(wave_order_[i - 1], wave_order_[(random_ >> 8) % i]);
  }
}

ft_host_switch FibreBlock::go_to(int wave, int position) {
  const int thread = wave * wave_size_ + lane_of_[static_cast<std::size_t>(position)];
  const int from = std::exchange(current_, thread);
  *program_.module->thread_idx = program_.threads[thread];
  *program_.module->result = result_[static_cast<std::size_t>(thread)];
  if (thread == from) return {nullptr, nullptr};
  return {from < 0 ? nullptr : &stack_pointer_[static_cast<std::size_t>(from)],
          stack_pointer_[static_cast<std::size_t>(thread)]};
}

ft_host_switch FibreBlock::arrive(Operation operation, std::uint64_t value, int source_lane,
                                  int line) {
  const auto thread = static_cast<std::size_t>(current_);
  Wave& wave = waves_[static_cast<std::size_t>(current_ >> wave_shift_)];
  // The running lane is always the first ready one: lanes become ready all together.
  const LaneMask bit = wave.ready & -wave.ready;
  wave.ready ^= bit;
  line_[thread] = line;
  operation_[thread] = operation;
  if (operation == Operation::barrier) {
    wave.barrier |= bit;
  } else {
    if (wave.waiting == 0) {
      wave.line = line;
      wave.operation = operation;
      wave.mixed = false;
    } else if (wave.line != line || wave.operation != operation) {
      wave.mixed = true;
    }
    wave.waiting |= bit;
    value_[thread] = value;
    source_[thread] = source_lane;
  }
  if (wave.ready != 0) return go_to(current_ >> wave_shift_, std::countr_zero(wave.ready));
  return next();
}

ft_host_switch FibreBlock::finish() {
  Wave& wave = waves_[static_cast<std::size_t>(current_ >> wave_shift_)];
  const LaneMask bit = wave.ready & -wave.ready;
  wave.ready ^= bit;
  wave.done |= bit;
  return next();
}

void FibreBlock::run_current_thread() {
  program_.entry->run(program_.arguments, program_.threads + current_, 1);
  ft_host_leave(finish().to);
}

ft_host_switch FibreBlock::next() {
  const auto leave = [this]() -> ft_host_switch {
    return {&stack_pointer_[static_cast<std::size_t>(current_)], main_};
  };
  for (;;) {
    const int index = wave_order_[turn_];
    Wave& wave = waves_[static_cast<std::size_t>(index)];
    if (wave.ready != 0) return go_to(index, std::countr_zero(wave.ready));
    if (wave.waiting != 0) {
      if (!resolve(index)) return leave();
    } else if (++turn_ == wave_order_.size() && !release_barrier()) {
      return leave();
    }
  }
}

// Lanes that wait at different places are taken one place at a time, the first line first: so lanes
// that leave a loop early wait behind it for the others.
FibreBlock::LaneMask FibreBlock::leading_group(const Wave& wave, int base) const {
  if (!wave.mixed) return wave.waiting;
  std::pair<int, Operation> first{INT32_MAX, Operation::shuffle};
  LaneMask group = 0;
  for (LaneMask rest = wave.waiting; rest != 0; rest &= rest - 1) {
    const auto position = static_cast<std::size_t>(std::countr_zero(rest));
    const auto thread = static_cast<std::size_t>(base + lane_of_[position]);
    const std::pair place{line_[thread], operation_[thread]};
    if (place < first) {
      first = place;
      group = 0;
    }
    if (place == first) group |= LaneMask{1} << position;
  }
  return group;
}

bool FibreBlock::resolve(int wave_index) {
  Wave& wave = waves_[static_cast<std::size_t>(wave_index)];
  const int base = wave_index * wave_size_;
  const LaneMask group = leading_group(wave, base);
  const auto example =
      static_cast<std::size_t>(base + lane_of_[static_cast<std::size_t>(std::countr_zero(group))]);
  if (operation_[example] == Operation::ballot) ballot(group, base);
  if (operation_[example] == Operation::shuffle && !shuffle(wave, group, base, line_[example]))
    return false;
  if (program_.exact != nullptr && !tell_exact(wave_index, group)) return false;
  wave.waiting &= ~group;
  wave.ready = group;
  wave.mixed = wave.waiting != 0;
  return true;
}

/// Ballots and wave_syncs are for all lanes that the wave has: on a GPU it depends on the compiler
/// who is there.
bool FibreBlock::tell_exact(int wave_index, LaneMask group) {
  const Wave& wave = waves_[static_cast<std::size_t>(wave_index)];
  const int first =
      wave_index * wave_size_ + lane_of_[static_cast<std::size_t>(std::countr_zero(group))];
  const Operation operation = operation_[static_cast<std::size_t>(first)];
  const LaneMask absent = (wave.waiting | wave.barrier | wave.done) & ~group;
  if (operation != Operation::shuffle && absent != 0)
    return diverge_in_wave(wave_index, group, absent);
  program_.exact->wave_operation();
  if (operation == Operation::wave_sync) program_.exact->wave_sync(wave_index);
  return true;
}

bool FibreBlock::diverge_in_wave(int wave_index, LaneMask group, LaneMask absent) {
  const Wave& wave = waves_[static_cast<std::size_t>(wave_index)];
  const auto thread_at = [&](LaneMask lanes) {
    const auto position = static_cast<std::size_t>(std::countr_zero(lanes));
    return static_cast<std::size_t>(wave_index * wave_size_ + lane_of_[position]);
  };
  const std::size_t here = thread_at(group), other = thread_at(absent);
  const bool ballot = operation_[here] == Operation::ballot;
  const bool exited = (wave.done & absent & -absent) != 0;
  divergence_ =
      fmt::format("divergent {}: thread {} takes part at line {}, thread {} of its wave {}",
                  ballot ? "ballot" : "wave_sync", here, line_[here], other,
                  exited ? "has exited" : fmt::format("waits at line {}", line_[other]));
  return false;
}

void FibreBlock::ballot(LaneMask group, int base) {
  std::uint64_t votes = 0;
  for (LaneMask rest = group; rest != 0; rest &= rest - 1) {
    const int lane = lane_of_[static_cast<std::size_t>(std::countr_zero(rest))];
    votes |= value_[static_cast<std::size_t>(base + lane)] << lane;
  }
  for (LaneMask rest = group; rest != 0; rest &= rest - 1) {
    const int lane = lane_of_[static_cast<std::size_t>(std::countr_zero(rest))];
    result_[static_cast<std::size_t>(base + lane)] = votes;
  }
}

bool FibreBlock::shuffle(const Wave& wave, LaneMask group, int base, int line) {
  for (LaneMask rest = group; rest != 0; rest &= rest - 1) {
    const int lane = lane_of_[static_cast<std::size_t>(std::countr_zero(rest))];
    const int source = source_[static_cast<std::size_t>(base + lane)];
    const bool inside = source >= 0 && source < wave_size_;
    if (!inside || (group >> position_of_[static_cast<std::size_t>(source)] & 1) == 0) {
      const bool exited =
          inside && (wave.done >> position_of_[static_cast<std::size_t>(source)] & 1) != 0;
      divergence_ = fmt::format("divergent shuffle: thread {} reads lane {}, which {}, at line {}",
                                base + lane, source,
                                !inside                                  ? "is not in its wave"
                                : base + source >= program_.thread_count ? "does not exist"
                                : exited                                 ? "has exited"
                                                                         : "takes no part",
                                line);
      return false;
    }
    result_[static_cast<std::size_t>(base + lane)] =
        value_[static_cast<std::size_t>(base + source)];
  }
  return true;
}

/// All waves have come to a barrier or to their end. False when the block is over.
bool FibreBlock::release_barrier() {
  bool any_waits = false;
  bool any_done = false;
  for (const Wave& wave : waves_) {
    any_waits |= wave.barrier != 0;
    any_done |= wave.done != 0;
  }
  if (!any_waits || (any_done && diverge_at_barrier())) return false;
  const int line = line_[0];
  for (int i = 1; i < program_.thread_count; ++i)
    if (line_[static_cast<std::size_t>(i)] != line && diverge_at_barrier()) return false;
  if (program_.exact != nullptr) program_.exact->barrier();
  for (Wave& wave : waves_) wave.ready = std::exchange(wave.barrier, 0);
  order_waves();
  turn_ = 0;
  return true;
}

bool FibreBlock::diverge_at_barrier() {
  struct Group {
    int count = 0;
    int example = 0;
  };
  std::map<int, Group> waiting;
  Group exited;
  for (int thread = program_.thread_count - 1; thread >= 0; --thread) {
    const Wave& wave = waves_[static_cast<std::size_t>(thread / wave_size_)];
    const auto position = position_of_[static_cast<std::size_t>(thread % wave_size_)];
    const bool done = (wave.done >> position & 1) != 0;
    Group& group = done ? exited : waiting[line_[static_cast<std::size_t>(thread)]];
    ++group.count;
    group.example = thread;
  }
  divergence_ = "divergent barrier: ";
  for (const auto& [line, group] : waiting)
    divergence_ +=
        fmt::format("{}{} thread{} at line {} (thread {})", divergence_.back() == ' ' ? "" : ", ",
                    group.count, group.count == 1 ? " waits" : "s wait", line, group.example);
  if (exited.count > 0)
    divergence_ += fmt::format(", {} {} exited (thread {})", exited.count,
                               exited.count == 1 ? "has" : "have", exited.example);
  return true;
}

}  // namespace fusetune

using fusetune::running_block;
using Operation = fusetune::FibreBlock::Operation;

extern "C" {

void ft_host_fibre_main() { running_block->run_current_thread(); }

ft_host_switch ft_host_at_barrier(int line) {
  return running_block->arrive(Operation::barrier, 0, 0, line);
}
ft_host_switch ft_host_at_wave_sync(int line) {
  return running_block->arrive(Operation::wave_sync, 0, 0, line);
}
ft_host_switch ft_host_at_ballot(unsigned long long predicate, int line) {
  return running_block->arrive(Operation::ballot, predicate, 0, line);
}
ft_host_switch ft_host_at_shuffle(unsigned long long value, int source_lane, int line) {
  return running_block->arrive(Operation::shuffle, value, source_lane, line);
}
}
