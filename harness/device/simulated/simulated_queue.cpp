// The queue of the simulated device: spans, replays, and what is still in its cache.

#include <fmt/format.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "harness/device/simulated/simulated_device.hpp"
#include "harness/device/simulated/simulated_kernels.hpp"

namespace fusetune {

namespace {

class SimulatedGraph : public LaunchGraph {
 public:
  explicit SimulatedGraph(std::span<const QueuedLaunch> launches)
      : launches_(launches.begin(), launches.end()) {}
  const std::vector<QueuedLaunch>& launches() const { return launches_; }

 private:
  std::vector<QueuedLaunch> launches_;
};

}  // namespace

QueueTraits SimulatedDevice::queue() const {
  QueueTraits traits;
  traits.asynchronous = traits.graphs = simulation_.queue.asynchronous;
  return traits;
}

SpanTicket SimulatedDevice::begin_span() {
  // What was launched before it, nobody times.
  untimed_.clear();
  clock_.end_sample();
  SpanTicket span;
  span.id = ++last_span_;
  spans_[span.id].begin = clock_.moment();
  return span;
}

void SimulatedDevice::end_span(SpanTicket& span) {
  OpenSpan& open = spans_.at(span.id);
  clock_.end_sample();
  clock_.delay(simulation_.queue.span_us);
  open.end = clock_.moment();
  open.untimed = std::exchange(untimed_, {});
}

Outcome SimulatedDevice::read_span(const SpanTicket& span, SpanTime* time) {
  const auto node = spans_.extract(span.id);
  if (node.empty()) throw std::logic_error("a span that was read before, or never begun");
  const OpenSpan& open = node.mapped();
  clock_.wait_for(open.end);
  if (!poisoned_.ok()) return poisoned_;
  if (!open.untimed.empty()) return {Status::launch_error, open.untimed};
  time->us = open.end.us - open.begin.us;
  const double busy_us = open.end.busy_us - open.begin.busy_us;
  time->core_mhz = busy_us > 0 ? (open.end.cycles - open.begin.cycles) / busy_us : 0;
  return {};
}

std::unique_ptr<LaunchGraph> SimulatedDevice::record(std::span<const QueuedLaunch> launches,
                                                     Outcome* outcome) {
  *outcome = poisoned_;
  if (!simulation_.queue.asynchronous || !simulation_.queue.graphs)
    *outcome = {Status::launch_error, "simulated: these launches cannot be captured"};
  return outcome->ok() ? std::make_unique<SimulatedGraph>(launches) : nullptr;
}

Outcome SimulatedDevice::replay(const LaunchGraph& graph) {
  replayed_first_ = true;
  for (const QueuedLaunch& one : dynamic_cast<const SimulatedGraph&>(graph).launches())
    if (Outcome outcome = run(*one.code, one.launch, true); !outcome.ok()) return outcome;
  return {};
}

Outcome SimulatedDevice::launch_beside(const LoadedCode& code, const KernelLaunch& launch) {
  Outcome outcome = run(code, launch, false);
  clock_.hide_last();
  return outcome;
}

void SimulatedDevice::copy_within(DevicePointer destination, DevicePointer source,
                                  std::size_t size_bytes) {
  if (!memory_.contains(source, size_bytes) || !memory_.contains(destination, size_bytes))
    throw std::out_of_range("copy_within leaves the buffer");
  if (size_bytes == 0) return;
  std::memmove(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source),
               size_bytes);
  touched_bytes_ += 2 * static_cast<std::int64_t>(size_bytes);
  clock_.copy(static_cast<double>(size_bytes) / simulation_.queue.copy_bytes_per_us);
}

std::optional<std::int64_t> SimulatedDevice::free_bytes() {
  if (simulation_.memory_bytes <= 0) return std::nullopt;
  return simulation_.memory_bytes - used_bytes_;
}

bool SimulatedDevice::is_cached(const SimulatedKernel& kernel, const SimulatedLaunch& bound) {
  if (bound.tensors.empty()) return false;
  const std::int64_t bytes = kernel.touched_bytes(bound);
  std::uintptr_t first = bound.tensors.begin()->second;
  const auto [known, is_new] = last_touched_.try_emplace(first, 0);
  // Everything since was other memory: rings are walked in order.
  const bool cached = !is_new && touched_bytes_ - known->second + bytes <= simulation_.cache_bytes;
  touched_bytes_ += bytes;
  known->second = touched_bytes_;
  return cached;
}

}  // namespace fusetune
