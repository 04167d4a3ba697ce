#include "harness/device/host/guarded_memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <new>
#include <stdexcept>

namespace fusetune {

namespace {
constexpr std::size_t kPageBytes = 4096;
}

GuardedMemory::~GuardedMemory() {
  for (const auto& [pointer, buffer] : buffers_) ::munmap(buffer.mapping, buffer.mapping_bytes);
}

DevicePointer GuardedMemory::allocate(std::size_t size_bytes, Place place) {
  if (size_bytes > PTRDIFF_MAX / 2) throw std::bad_alloc();
  const std::size_t usable = (size_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  const std::size_t total = usable + 2 * kGuardBytes;
  void* memory =
      ::mmap(nullptr, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  auto* mapping = static_cast<std::byte*>(memory);
  if (usable > 0 && ::mprotect(mapping + kGuardBytes, usable, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(mapping, total);
    throw std::bad_alloc();
  }
  std::byte* begin = mapping + kGuardBytes + (place == Place::high ? usable - size_bytes : 0);
  const auto pointer = reinterpret_cast<DevicePointer>(begin);
  buffers_.emplace(pointer, Buffer{size_bytes, mapping, total});
  return pointer;
}

void GuardedMemory::release(DevicePointer pointer) {
  const auto found = buffers_.find(pointer);
  if (found == buffers_.end())
    throw std::logic_error(fmt::format("release of {:#x}, which is no buffer", pointer));
  ::munmap(found->second.mapping, found->second.mapping_bytes);
  buffers_.erase(found);
}

bool GuardedMemory::contains(DevicePointer pointer, std::size_t size_bytes) const {
  auto after = buffers_.upper_bound(pointer);
  if (after == buffers_.begin()) return false;
  const auto& [begin, buffer] = *--after;
  const std::size_t offset = pointer - begin;
  return offset <= buffer.size_bytes && size_bytes <= buffer.size_bytes - offset;
}

std::optional<GuardedMemory::Miss> GuardedMemory::find_miss(std::uintptr_t address) const {
  // Mappings do not overlap, so only the last buffer from below and the first from above matter.
  auto candidate = buffers_.upper_bound(address);
  for (int step = 0; step < 2; ++step) {
    if (step == 1 && candidate == buffers_.begin()) break;
    if (step == 1) --candidate;
    if (candidate == buffers_.end()) continue;
    const auto& [pointer, buffer] = *candidate;
    const auto begin = reinterpret_cast<std::uintptr_t>(buffer.mapping);
    if (address < begin || address >= begin + buffer.mapping_bytes) continue;
    return Miss{pointer, static_cast<std::int64_t>(buffer.size_bytes),
                static_cast<std::int64_t>(address - pointer)};
  }
  return std::nullopt;
}

}  // namespace fusetune
