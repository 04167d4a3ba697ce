#pragma once
// The CPU as a device: kernels run block by block on the calling thread.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/device/host/exact/exact_runtime.hpp"
#include "harness/device/host/fault_guard.hpp"
#include "harness/device/host/fibre_block.hpp"
#include "harness/device/host/guarded_memory.hpp"
#include "harness/device/host/host_module.hpp"

namespace fusetune {

class HostDevice : public Device {
 public:
  HostDevice(const Target& target, std::shared_ptr<LineFinder> lines);
  ~HostDevice() override;

  const DeviceProperties& properties() const override { return properties_; }
  DevicePointer allocate(std::size_t size_bytes, Place place) override;
  void release(DevicePointer pointer) override;
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override;
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override;
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override;
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override;
  Outcome synchronize() override { return {}; }
  std::optional<Fault> last_fault() const override { return last_fault_; }
  double stamp_us() override;
  void schedule(std::uint64_t seed) override;
  void watch(std::vector<WatchedTensor> tensors) override { exact_.watch(std::move(tensors)); }
  void overlook(const std::set<Status>& kinds) override { exact_.overlook(kinds); }
  std::vector<UnwrittenRange> unwritten() const override { return exact_.unwritten(); }
  void trace(bool on) override { exact_.trace(on); }
  TracedTraffic traced() const override { return exact_.traced(); }

 private:
  /// One launch on its way; lives outside of what a fault may cut off.
  struct Run {
    HostDevice* device = nullptr;
    const HostModule* module = nullptr;
    const ft_host_entry* entry = nullptr;
    const KernelLaunch* launch = nullptr;
    const unsigned long long* arguments = nullptr;
    bool diverged = false;
  };

  Outcome check_shape(const HostModule& module, const KernelLaunch& launch) const;
  Outcome check_arguments(const ft_host_entry& entry, const KernelLaunch& launch);
  void prepare_threads(const std::array<std::int64_t, 3>& block);
  void prepare_dynamic_shared(std::int64_t size_bytes);
  void begin_exact(const Run& run);
  void end_exact(const Run& run, bool finished);
  void run_blocks(Run& run);
  /// Indices of the running block, whose linear number is `block`.
  void set_block_index(const Run& run, std::uint64_t block) const;
  Outcome outcome_of(const HardwareFault& fault, const Run& run);
  Outcome outcome_of(const Violation& violation, const Run& run);
  Outcome race_outcome(const Violation& violation, const Run& run);
  std::string position(const HostModule& module, const KernelLaunch& launch) const;
  /// Of an offset in the module's code; "" where it is unknown.
  std::string source_place(const HostModule& module, std::int64_t offset);

  DeviceProperties properties_;
  std::shared_ptr<LineFinder> lines_;
  GuardedMemory memory_;
  FaultGuard guard_;
  FibreBlock fibres_;
  ExactRuntime exact_;
  std::uint64_t seed_ = 0;
  std::optional<Fault> last_fault_;

  // What successive launches share.
  std::vector<unsigned long long> argument_slots_;
  std::array<std::int64_t, 3> thread_shape_{0, 0, 0};
  std::vector<ft_host_dim> threads_;           ///< in natural order
  std::vector<ft_host_dim> permuted_threads_;  ///< as the seed says
  DevicePointer dynamic_shared_ = 0;
  std::int64_t dynamic_shared_bytes_ = 0;
  std::map<std::pair<std::string, std::int64_t>, std::string> places_;  ///< by file and offset
};

}  // namespace fusetune
