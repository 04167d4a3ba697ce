#pragma once
// A device with a planted bug: what a driver, a queue or a cache may do to a kernel that is right.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "harness/device/forwarding_device.hpp"
#include "harness/selftest/mutants.hpp"

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

class MutatedDevice : public ForwardingDevice {
 public:
  MutatedDevice(Device& device, const DeviceChange& change, LaunchFacts facts)
      : ForwardingDevice(device), change_(change), facts_(std::move(facts)) {}

  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override;

 private:
  /// Launches of which synchronize() said that they had ended.
  void run_late();
  Outcome run_on_stale_inputs(const LoadedCode& code, const KernelLaunch& launch);

  DeviceChange change_;
  LaunchFacts facts_;
  std::int64_t launches_ = 0;
  std::vector<std::pair<const LoadedCode*, KernelLaunch>> late_;
  std::map<std::string, std::vector<KernelArgument>> last_arguments_;
  std::map<DevicePointer, std::vector<std::byte>> first_seen_;
};

}  // namespace fusetune
