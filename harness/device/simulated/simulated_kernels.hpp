#pragma once
// The kernels that the simulated device has built in, by entry.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "harness/base/status.hpp"

namespace fusetune {

/// One launch, with its arguments by name.
struct SimulatedLaunch {
  std::map<std::string, std::uintptr_t> tensors;
  std::map<std::string, std::int64_t> numbers;  ///< runtime symbols and integer macros
  std::int64_t grid_blocks = 1;

  std::byte* tensor(const std::string& name) const {
    return reinterpret_cast<std::byte*>(tensors.at(name));
  }
  std::int64_t number(const std::string& name) const { return numbers.at(name); }
};

struct SimulatedKernel {
  /// Runs on this machine's memory. `result` is set to a byte of its first output.
  void (*run)(const SimulatedLaunch& launch, std::byte** result);
  /// What it reads and writes.
  std::int64_t (*touched_bytes)(const SimulatedLaunch& launch);
};

/// nullptr when there is none.
const SimulatedKernel* find_simulated_kernel(const std::string& entry);

}  // namespace fusetune
