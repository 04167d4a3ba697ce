#pragma once
// Buffers with unmapped pages on both sides.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "harness/device/device.hpp"

namespace fusetune {

class GuardedMemory {
 public:
  /// The buffer that an address misses, and by how much.
  struct Miss {
    DevicePointer buffer = 0;
    std::int64_t size_bytes = 0;
    std::int64_t offset_bytes = 0;  ///< from the buffer's start: negative, or at least its size
  };

  GuardedMemory() = default;
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  DevicePointer allocate(std::size_t size_bytes, Place place);
  void release(DevicePointer pointer);

  /// Whether the range lies in one buffer.
  bool contains(DevicePointer pointer, std::size_t size_bytes) const;
  std::optional<Miss> find_miss(std::uintptr_t address) const;

 private:
  /// Wide enough for an access that misses by a few rows, and cheap: it is address space only.
  static constexpr std::size_t kGuardBytes = 64 * 1024;

  struct Buffer {
    std::size_t size_bytes = 0;
    std::byte* mapping = nullptr;
    std::size_t mapping_bytes = 0;
  };
  std::map<DevicePointer, Buffer> buffers_;
};

}  // namespace fusetune
