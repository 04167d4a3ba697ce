#pragma once
// The stacks of a block's fibres: made once, used by every block.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fusetune {

class FibreStacks {
 public:
  FibreStacks() = default;
  ~FibreStacks();
  FibreStacks(const FibreStacks&) = delete;
  FibreStacks& operator=(const FibreStacks&) = delete;

  /// Makes at least `count` stacks. Throws std::bad_alloc.
  void reserve(std::size_t count);

  /// The stack pointer of a fibre that has not run yet.
  void* fresh(std::size_t index) const;

  /// Whether the address lies in one of the stacks or their guards.
  bool contains(std::uintptr_t address) const;
  /// Whether the address lies in the guard below a stack: that fibre ran out of stack.
  bool in_guard(std::uintptr_t address) const;

 private:
  static constexpr std::size_t kStackBytes = 64 * 1024;
  static constexpr std::size_t kGuardBytes = 4096;
  static constexpr std::size_t kSlotBytes = kStackBytes + kGuardBytes;
  static constexpr std::size_t kChunkStacks = 64;

  std::vector<std::byte*> chunks_;
};

}  // namespace fusetune
