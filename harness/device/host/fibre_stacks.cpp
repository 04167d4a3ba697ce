#include "harness/device/host/fibre_stacks.hpp"

#include <sys/mman.h>

#include <new>

#include "harness/device/host/fibre_switch.hpp"

namespace fusetune {

FibreStacks::~FibreStacks() {
  for (std::byte* chunk : chunks_) ::munmap(chunk, kChunkStacks * kSlotBytes);
}

void FibreStacks::reserve(std::size_t count) {
  while (chunks_.size() * kChunkStacks < count) {
    chunks_.reserve(chunks_.size() + 1);
    void* memory = ::mmap(nullptr, kChunkStacks * kSlotBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    auto* chunk = static_cast<std::byte*>(memory);
    for (std::size_t i = 0; i < kChunkStacks; ++i)
      ::mprotect(chunk + i * kSlotBytes, kGuardBytes, PROT_NONE);
    chunks_.push_back(chunk);
  }
}

void* FibreStacks::fresh(std::size_t index) const {
  std::byte* slot = chunks_[index / kChunkStacks] + (index % kChunkStacks) * kSlotBytes;
  // Tops on the same offset of their pages would share a few sets of the first-level cache: with
  // 1024 fibres that makes a switch 3.5 times slower.
  std::byte* top = slot + kSlotBytes - (index % 16) * 256;
  // Once the start address is popped the stack is aligned to 16 bytes, as a caller's must be.
  void** frame = reinterpret_cast<void**>(top) - 1;
  *frame = reinterpret_cast<void*>(&ft_host_fibre_start);
  return frame;
}

bool FibreStacks::contains(std::uintptr_t address) const {
  for (const std::byte* chunk : chunks_)
    if (address - reinterpret_cast<std::uintptr_t>(chunk) < kChunkStacks * kSlotBytes) return true;
  return false;
}

bool FibreStacks::in_guard(std::uintptr_t address) const {
  for (const std::byte* chunk : chunks_) {
    const auto begin = reinterpret_cast<std::uintptr_t>(chunk);
    if (address < begin || address >= begin + kChunkStacks * kSlotBytes) continue;
    return (address - begin) % kSlotBytes < kGuardBytes;
  }
  return false;
}

}  // namespace fusetune
