#pragma once
// A device without hardware: a few kernels that are built in, a virtual clock with scripted noise,
// and scripted faults. Everything that it does follows from the script, the code and the number of
// the launch; nothing from the machine or the time of day.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "harness/device/device.hpp"
#include "harness/device/host/guarded_memory.hpp"
#include "harness/device/simulated/simulated_clock.hpp"
#include "harness/spec/simulation.hpp"

namespace fusetune {

class SimulatedProgram;

class SimulatedDevice : public Device {
 public:
  /// `simulation` must live as long as the device.
  SimulatedDevice(const Target& target, const Simulation& simulation);

  const DeviceProperties& properties() const override { return properties_; }
  DevicePointer allocate(std::size_t size_bytes, Place place) override;
  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override;
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override;
  double stamp_us() override;
  void schedule(std::uint64_t) override {}

 private:
  /// What a fault does to a launch. True when the kernel is not to run.
  bool go_wrong(const SimulatedFault& fault, Outcome* outcome);

  const Simulation& simulation_;
  DeviceProperties properties_;
  GuardedMemory memory_;
  std::map<DevicePointer, std::size_t> sizes_;
  std::int64_t used_bytes_ = 0;
  SimulatedClock clock_;
  /// One session lasts while any code is loaded, so that it does not matter what the process did
  /// before.
  std::shared_ptr<std::uint64_t> session_;
  bool session_has_launched_ = false;
  Outcome poisoned_;     ///< what every call says from then on
  std::string untimed_;  ///< why the running sample has no time, "" where it has
  Outcome late_;         ///< for the next synchronize()
};

}  // namespace fusetune
