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
#include "harness/device/hip/hip_code.hpp"
#include "harness/device/hip/hip_object.hpp"
#include "harness/device/hip/hip_spans.hpp"

namespace fusetune::hip {

class HipDevice : public Device {
 public:
  /// Throws UserError when it does not start.
  explicit HipDevice(const Gpu& gpu);

  const DeviceProperties& properties() const override { return properties_; }
  DevicePointer allocate(std::size_t size_bytes, Place place) override;
  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override;
  void copy_within(DevicePointer destination, DevicePointer source,
                   std::size_t size_bytes) override;
  std::optional<std::int64_t> free_bytes() override;
  std::optional<std::vector<std::string>> other_users() override;
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override;
  Outcome synchronize_all() override;
  double stamp_us() override;
  QueueTraits queue() const override;
  SpanTicket begin_span() override;
  void end_span(SpanTicket& span) override;
  Outcome read_span(const SpanTicket& span, SpanTime* time) override;
  std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                      Outcome* outcome) override;
  Outcome replay(const LaunchGraph& graph) override;
  Outcome launch_beside(const LoadedCode& code, const KernelLaunch& launch) override;
  /// Blocks run in the hardware's order.
  void schedule(std::uint64_t /*seed*/) override {}
  bool lost() const override { return lost_; }

 private:
  void start();
  void read_properties();
  HipSpans& spans();
  /// The kernel, ready for this launch; nothing and an outcome when the launch is none.
  HipKernel* prepare(const LoadedCode& code, const KernelLaunch& launch, Outcome* outcome);
  static hipError_t enqueue(const HipKernel& kernel, const KernelLaunch& launch,
                            hipStream_t stream);
  /// Of calls that are no launch, which may tell of one that came before. Throws as require().
  void check(hipError_t error, std::string_view call);
  /// What a failed launch or wait says of the kernel; after a fault the device is lost.
  Outcome outcome_of(hipError_t error, const std::string& what);
  void find_out_whether_lost();

  Gpu gpu_;
  DeviceProperties properties_;
  bool lost_ = false;
  Stream stream_;
  Stream beside_;  ///< since the first launch beside the queue
  Event last_stamp_, stamp_;
  double now_us_ = 0;
  bool stamped_ = false;
  std::map<DevicePointer, Memory> allocations_;  ///< by what was handed out
  std::unique_ptr<HipSpans> spans_;              ///< since the first one
};

}  // namespace fusetune::hip
