#pragma once
// A device that hands everything on to another one: what a planted bug does not change.

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/device/device.hpp"

namespace fusetune {

class ForwardingDevice : public Device {
 public:
  explicit ForwardingDevice(Device& device) : device_(device) {}

  const DeviceProperties& properties() const override { return device_.properties(); }
  DevicePointer allocate(std::size_t size_bytes, Place place) override {
    return device_.allocate(size_bytes, place);
  }
  void release(DevicePointer pointer) override { device_.release(pointer); }
  void copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) override {
    device_.copy_to(destination, source, size_bytes);
  }
  void copy_from(void* destination, DevicePointer source, std::size_t size_bytes) override {
    device_.copy_from(destination, source, size_bytes);
  }
  void copy_within(DevicePointer destination, DevicePointer source,
                   std::size_t size_bytes) override {
    device_.copy_within(destination, source, size_bytes);
  }
  std::unique_ptr<LoadedCode> load(const std::string& code_path, Outcome* outcome) override {
    return device_.load(code_path, outcome);
  }
  Outcome launch(const LoadedCode& code, const KernelLaunch& launch) override {
    return device_.launch(code, launch);
  }
  Outcome launch_beside(const LoadedCode& code, const KernelLaunch& launch) override {
    return device_.launch_beside(code, launch);
  }
  Outcome synchronize() override { return device_.synchronize(); }
  Outcome synchronize_all() override { return device_.synchronize_all(); }
  std::optional<Fault> last_fault() const override { return device_.last_fault(); }
  double stamp_us() override { return device_.stamp_us(); }
  QueueTraits queue() const override { return device_.queue(); }
  SpanTicket begin_span() override { return device_.begin_span(); }
  void end_span(SpanTicket& span) override { device_.end_span(span); }
  Outcome read_span(const SpanTicket& span, SpanTime* time) override {
    return device_.read_span(span, time);
  }
  std::unique_ptr<LaunchGraph> record(std::span<const QueuedLaunch> launches,
                                      Outcome* outcome) override {
    return device_.record(launches, outcome);
  }
  Outcome replay(const LaunchGraph& graph) override { return device_.replay(graph); }
  std::optional<std::int64_t> free_bytes() override { return device_.free_bytes(); }
  std::optional<std::vector<std::string>> other_users() override { return device_.other_users(); }
  double host_us() override { return device_.host_us(); }
  void rest(double us) override { device_.rest(us); }
  void schedule(std::uint64_t seed) override { device_.schedule(seed); }
  void begin_session(std::uint64_t number) override { device_.begin_session(number); }
  void watch(std::vector<WatchedTensor> tensors) override { device_.watch(std::move(tensors)); }
  void overlook(const std::set<Status>& kinds) override { device_.overlook(kinds); }
  std::vector<UnwrittenRange> unwritten() const override { return device_.unwritten(); }
  void trace(bool on) override { device_.trace(on); }
  TracedTraffic traced() const override { return device_.traced(); }
  bool lost() const override { return device_.lost(); }

 protected:
  Device& inner() { return device_; }

 private:
  Device& device_;
};

}  // namespace fusetune
