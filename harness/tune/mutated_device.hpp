#pragma once
// A device with a planted bug: what a driver, a queue or a cache may do to a kernel that is right.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/tune/mutants.hpp"

namespace fusetune {

/// An argument of a launch that points at an input.
struct InputArgument {
  std::size_t index = 0;
  std::size_t bytes = 0;
};

/// What the bug needs to know of each launch of a case, by entry.
struct LaunchFacts {
  std::map<std::string, std::vector<InputArgument>> inputs;
  /// A number added to one argument: {index, addend}.
  std::map<std::string, std::pair<std::size_t, std::int64_t>> additions;
};

class MutatedDevice : public Device {
 public:
  MutatedDevice(Device& device, const DeviceChange& change, LaunchFacts facts)
      : device_(device), change_(change), facts_(std::move(facts)) {}

  const DeviceProperties& properties() const override { return device_.properties(); }
  DevicePointer allocate(std::size_t size_bytes, Place place) override {
    return device_.allocate(size_bytes, place);
  }
  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override {
    device_.copy_from(destination, source, size_bytes);
  }
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override {
    return device_.load(code_path, outcome);
  }
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override;
  std::optional<Fault> last_fault() const override { return device_.last_fault(); }
  double stamp_us() override { return device_.stamp_us(); }
  void schedule(std::uint64_t seed) override { device_.schedule(seed); }
  void watch(std::vector<WatchedTensor> tensors) override { device_.watch(std::move(tensors)); }
  void overlook(const std::set<Status>& kinds) override { device_.overlook(kinds); }
  std::vector<UnwrittenRange> unwritten() const override { return device_.unwritten(); }
  void trace(bool on) override { device_.trace(on); }
  TracedTraffic traced() const override { return device_.traced(); }

 private:
  /// Launches of which synchronize() said that they had ended.
  void run_late();
  Outcome run_on_stale_inputs(const LoadedCode& code, const KernelLaunch& launch);

  Device& device_;
  DeviceChange change_;
  LaunchFacts facts_;
  std::int64_t launches_ = 0;
  std::vector<std::pair<const LoadedCode*, KernelLaunch>> late_;
  std::map<std::string, std::vector<KernelArgument>> last_arguments_;
  std::map<DevicePointer, std::vector<std::byte>> first_seen_;
};

}  // namespace fusetune
