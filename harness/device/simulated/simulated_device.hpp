#pragma once
// A device without hardware: a few kernels that are built in, a virtual clock with scripted noise,
// and scripted faults. Everything that it does follows from the script, the code and the number of
// the launch; nothing from the machine or the time of day.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/device/host/guarded_memory.hpp"
#include "harness/device/simulated/simulated_clock.hpp"
#include "harness/spec/simulation.hpp"

namespace fusetune {

class SimulatedProgram;
struct SimulatedKernel;
struct SimulatedLaunch;

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
  QueueTraits queue() const override;
  SpanTicket begin_span() override;
  void end_span(SpanTicket& span) override;
  Outcome read_span(const SpanTicket& span, SpanTime* time) override;
  std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                      Outcome* outcome) override;
  Outcome replay(const LaunchGraph& graph) override;
  Outcome launch_beside(const LoadedCode& code, const KernelLaunch& launch) override;
  void copy_within(DevicePointer destination, DevicePointer source,
                   std::size_t size_bytes) override;
  std::optional<std::int64_t> free_bytes() override;
  std::optional<std::vector<std::string>> other_users() override { return simulation_.other_users; }
  double host_us() override { return clock_.host_us(); }
  void rest(double us) override { clock_.rest(us); }
  void schedule(std::uint64_t) override {}
  void begin_session(std::uint64_t number) override { session_number_ = number; }

 private:
  struct OpenSpan {
    SimulatedClock::Moment begin, end;
    std::string untimed;
  };

  /// What a fault does to a launch. True when the kernel is not to run.
  bool go_wrong(const SimulatedFault& fault, Outcome* outcome);
  Outcome run(const LoadedCode& code, const KernelLaunch& launch, bool replayed);
  void seed_session(const SimulatedLaunch& first);
  /// Lets the time of a launch pass.
  void pass(const SimulatedProgram& program, const KernelLaunch& launch,
            const SimulatedLaunch& bound, bool replayed);
  /// Whether the cache still holds what a launch works on.
  bool is_cached(const SimulatedKernel& kernel, const SimulatedLaunch& bound);

  const Simulation& simulation_;
  DeviceProperties properties_;
  GuardedMemory memory_;
  std::map<DevicePointer, std::size_t> sizes_;
  std::int64_t used_bytes_ = 0;
  SimulatedClock clock_;
  /// One session lasts while any code is loaded, so that it does not matter what the process did
  /// before.
  std::shared_ptr<std::uint64_t> session_;
  std::uint64_t session_number_ = 0;
  bool session_has_launched_ = false;
  bool replayed_first_ = false;  ///< the next launch begins a replay
  std::map<std::int64_t, OpenSpan> spans_;
  std::int64_t last_span_ = 0;
  std::int64_t touched_bytes_ = 0;                       ///< of all launches
  std::map<std::uintptr_t, std::int64_t> last_touched_;  ///< by the memory of the first tensor
  Outcome poisoned_;                                     ///< what every call says from then on
  std::string untimed_;  ///< why the running sample has no time, "" where it has
  Outcome late_;         ///< for the next synchronize()
};

}  // namespace fusetune
