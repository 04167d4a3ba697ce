#pragma once
// A device on which the launches of one code object go wrong, as a plant says.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/device/forwarding_device.hpp"
#include "harness/selftest/plants.hpp"

namespace fusetune {

class PlantedDevice : public ForwardingDevice {
 public:
  /// `rows` of the case: launches know them by their last argument of this value.
  PlantedDevice(Device& device, const Plant& plant, std::int64_t rows)
      : ForwardingDevice(device), plant_(plant), rows_(rows) {}

  /// From now on, with launches of this code; the one that was loaded must not be another arm's.
  void plant(const LoadedCode& code) { code_ = &code; }

  DevicePointer allocate(std::size_t size_bytes, Place place) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                      Outcome* outcome) override;
  Outcome replay(const LaunchGraph& graph) override;

 private:
  /// What becomes of a launch of the planted code: none, one or two.
  std::vector<KernelLaunch> changed(KernelLaunch launch);
  /// A graph of launches as they are, and one of what becomes of them after a while.
  std::unique_ptr<LaunchGraph> record_both(std::span<const QueuedLaunch> launches,
                                           Outcome* outcome);

  const Plant& plant_;
  std::int64_t rows_;
  const LoadedCode* code_ = nullptr;
  std::int64_t launches_ = 0;   ///< of the planted code
  std::set<std::string> done_;  ///< what ran, since memory was allocated last
};

}  // namespace fusetune
