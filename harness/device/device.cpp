// What a device does by default: all of it with launches that are done when they return.

#include "harness/device/device.hpp"

#include <chrono>
#include <thread>

namespace fusetune {

SpanTicket Device::begin_span() { return {0, stamp_us(), 0}; }

void Device::end_span(SpanTicket& span) { span.end_us = stamp_us(); }

Outcome Device::read_span(const SpanTicket& span, SpanTime* time) {
  *time = {span.end_us - span.begin_us, 0};
  return synchronize();
}

std::unique_ptr<LaunchGraph> Device::record(std::span<const QueuedLaunch> /*launches*/,
                                            Outcome* outcome) {
  *outcome = {Status::launch_error, "this device has no graphs"};
  return nullptr;
}

Outcome Device::replay(const LaunchGraph& /*graph*/) {
  return {Status::launch_error, "this device has no graphs"};
}

Outcome Device::launch_beside(const LoadedCode& /*code*/, const KernelLaunch& /*launch*/) {
  return {Status::launch_error, "this device has one queue"};
}

void Device::copy_within(DevicePointer destination, DevicePointer source, std::size_t size_bytes) {
  std::vector<std::byte> bytes(size_bytes);
  copy_from(bytes.data(), source, size_bytes);
  copy_to(destination, bytes.data(), size_bytes);
}

double Device::host_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(now).count();
}

void Device::rest(double us) {
  std::this_thread::sleep_for(std::chrono::duration<double, std::micro>(us));
}

}  // namespace fusetune
