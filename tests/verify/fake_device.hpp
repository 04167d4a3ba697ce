#pragma once
// A device whose kernels are lambdas over host memory. Around each buffer lie bytes that stand for
// unmapped pages: touching them is a fault that synchronize() reports with the address.

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/device/device.hpp"

namespace fusetune::test {

class FakeDevice : public Device {
 public:
  using Kernel = std::function<Outcome(const KernelLaunch&, std::uint64_t schedule)>;
  struct Code : LoadedCode {
    std::map<std::string, Kernel> kernels;
    bool instrumented = false;
    bool exact() const override { return instrumented; }
  };

  std::size_t memory_limit_bytes = std::size_t{1} << 30;
  std::vector<std::uint64_t> schedules;  ///< of every launch
  bool report_faults = false;            ///< through last_fault(), as the host device does
  std::vector<Place> places;             ///< of every allocation
  std::vector<DevicePointer> allocated;
  std::vector<std::vector<WatchedTensor>> watched;  ///< of every call
  std::vector<UnwrittenRange> unwritten_ranges;     ///< what it says after every launch
  std::function<void()> on_synchronize;             ///< work that launches put off

  FakeDevice() {
    properties_.name = "fake";
    properties_.target = {.name = "host-w64", .platform = Platform::host, .wave_size = 64};
  }
  ~FakeDevice() override {
    for (auto& [pointer, memory] : memory_) ::operator delete(memory.base, kAlign);
  }

  const DeviceProperties& properties() const override { return properties_; }

  DevicePointer allocate(std::size_t size_bytes, Place place) override {
    if (size_bytes > memory_limit_bytes) throw std::bad_alloc();
    const std::size_t pages = (size_bytes + kPage - 1) / kPage * kPage;
    Memory memory{static_cast<unsigned char*>(::operator new(pages + 2 * kSlack, kAlign)), pages,
                  size_bytes, 0};
    std::memset(memory.base, kUnmapped, pages + 2 * kSlack);
    const std::size_t offset = kSlack + (place == Place::high ? pages - size_bytes : 0);
    memory.offset = offset;
    std::memset(memory.base + offset, 0, size_bytes);
    const auto pointer = reinterpret_cast<DevicePointer>(memory.base + offset);
    memory_[pointer] = memory;
    places.push_back(place);
    allocated.push_back(pointer);
    return pointer;
  }
  void release(DevicePointer pointer) override {
    ::operator delete(memory_.at(pointer).base, kAlign);
    memory_.erase(pointer);
  }
  std::size_t live_buffers() const { return memory_.size(); }

  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override {
    std::memcpy(reinterpret_cast<void*>(destination), source, size_bytes);
  }
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override {
    std::memcpy(destination, reinterpret_cast<const void*>(source), size_bytes);
  }

  std::unique_ptr<LoadedCode> load(const std::string&, Outcome*) override { return nullptr; }

  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    schedules.push_back(schedule_);
    const auto& kernels = dynamic_cast<const Code&>(code).kernels;
    const auto kernel = kernels.find(launch.entry);
    if (kernel == kernels.end()) return {Status::launch_error, "no entry " + launch.entry};
    return kernel->second(launch, schedule_);
  }

  Outcome synchronize() override {
    if (on_synchronize) on_synchronize();
    for (auto& [pointer, memory] : memory_)
      for (std::size_t i = 0; i < memory.pages + 2 * kSlack; ++i) {
        if (i == memory.offset) i += memory.size;
        if (i >= memory.pages + 2 * kSlack || memory.base[i] == kUnmapped) continue;
        memory.base[i] = kUnmapped;
        if (report_faults) {
          fault_.emplace();
          fault_->buffer = pointer;
          fault_->offset_bytes =
              static_cast<std::int64_t>(i) - static_cast<std::int64_t>(memory.offset);
          fault_->write = true;
        }
        return {Status::out_of_bounds,
                fmt::format("write to unmapped address 0x{:x}",
                            reinterpret_cast<std::uintptr_t>(memory.base + i))};
      }
    return {};
  }

  std::optional<Fault> last_fault() const override { return fault_; }

  void watch(std::vector<WatchedTensor> tensors) override { watched.push_back(std::move(tensors)); }
  std::vector<UnwrittenRange> unwritten() const override { return unwritten_ranges; }

  double stamp_us() override { return 0; }
  void schedule(std::uint64_t seed) override { schedule_ = seed; }

 private:
  static constexpr std::size_t kPage = 4096, kSlack = 2 * kPage;
  static constexpr std::align_val_t kAlign{kPage};
  static constexpr unsigned char kUnmapped = 0xEE;
  struct Memory {
    unsigned char* base = nullptr;
    std::size_t pages = 0, size = 0, offset = 0;
  };

  DeviceProperties properties_;
  std::map<DevicePointer, Memory> memory_;
  std::uint64_t schedule_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace fusetune::test
