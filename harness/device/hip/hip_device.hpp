#pragma once
// A GPU through the HIP runtime. Everything runs in one stream of its own, never the null stream.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/device/gpu.hpp"
#include "harness/device/hip/names.hpp"

namespace fusetune::hip {

class HipDevice : public Device {
 public:
  /// Throws UserError when it does not start.
  explicit HipDevice(const Gpu& gpu);
  ~HipDevice() override;
  HipDevice(const HipDevice&) = delete;
  HipDevice& operator=(const HipDevice&) = delete;

  const DeviceProperties& properties() const override { return properties_; }
  DevicePointer allocate(std::size_t size_bytes, Place place) override;
  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override;
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override;
  double stamp_us() override;
  /// Blocks run in the hardware's order.
  void schedule(std::uint64_t /*seed*/) override {}
  bool lost() const override { return lost_; }

 private:
  void start(const Gpu& gpu);
  /// Of what start() came to.
  void close();
  void read_properties(const Gpu& gpu);
  /// Of calls that are no launch, which may tell of one that came before. Throws as require().
  void check(hipError_t error, std::string_view call);
  /// What a failed launch or wait says of the kernel; after a fault the device is lost.
  Outcome outcome_of(hipError_t error, const std::string& what);
  void find_out_whether_lost();

  int index_;
  DeviceProperties properties_;
  hipStream_t stream_ = nullptr;
  hipEvent_t last_stamp_ = nullptr, stamp_ = nullptr;
  double now_us_ = 0;
  bool stamped_ = false;
  bool lost_ = false;
  std::map<DevicePointer, void*> allocations_;  ///< what was handed out, and what was allocated
};

}  // namespace fusetune::hip
