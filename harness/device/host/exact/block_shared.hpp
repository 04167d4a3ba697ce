#pragma once
// The shared memory of a block by address: static variables and what the launch adds.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/device/host/host_module.hpp"

namespace fusetune {

class BlockShared {
 public:
  struct Variable {
    std::string name;  ///< "shared memory 'partial'"
    std::uintptr_t begin = 0, end = 0;
    std::size_t shadow = 0;  ///< of `begin`; offsets in the block's shared memory
  };

  void set(const HostModule& module, std::uintptr_t dynamic, std::int64_t dynamic_bytes);
  std::size_t bytes() const { return bytes_; }

  /// The variable that holds the address.
  const Variable* find(std::uintptr_t address) const;
  /// The variable that ends last at or before the address, if it is at most a page away.
  const Variable* find_before(std::uintptr_t address) const;

 private:
  void add(std::string name, std::uintptr_t begin, std::size_t size_bytes);

  std::vector<Variable> variables_;
  std::size_t bytes_ = 0;
};

}  // namespace fusetune
