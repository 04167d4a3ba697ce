// What a GPU's stream takes: launches, graphs, and the marks that time them.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "harness/device/hip/hip_device.hpp"
#include "harness/device/hip/hip_error.hpp"
#include "harness/device/hip/hip_graph.hpp"
#include "harness/device/hip/platform.hpp"

namespace fusetune::hip {

namespace {

constexpr std::int64_t kLdsWithoutAsking = 48 << 10;

bool is_size(std::int64_t size) {
  return size >= 1 && size <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

HipKernel* HipDevice::prepare(const LoadedCode& code, const KernelLaunch& launch,
                              Outcome* outcome) {
  const auto* loaded = dynamic_cast<const HipCode*>(&code);
  if (loaded == nullptr) {
    *outcome = {Status::launch_error, "the code was loaded by another device"};
    return nullptr;
  }
  for (const auto* sizes : {&launch.grid, &launch.block})
    if (!std::all_of(sizes->begin(), sizes->end(), is_size)) {
      *outcome = {Status::launch_error,
                  fmt::format("{}: a grid or block of {} x {} x {}", launch.entry, (*sizes)[0],
                              (*sizes)[1], (*sizes)[2])};
      return nullptr;
    }
  HipKernel* kernel = loaded->find(launch.entry, outcome);
  if (kernel == nullptr) {
    find_out_whether_lost();
    return nullptr;
  }
  if (launch.lds_bytes <= std::max(kLdsWithoutAsking, kernel->lds_bytes_allowed)) return kernel;
  if (const hipError_t error = allow_lds_bytes(kernel->function, gpu_.index, launch.lds_bytes);
      error != hipSuccess) {
    find_out_whether_lost();
    *outcome = {Status::resource_limit, told("shared memory of " + launch.entry, error)};
    return nullptr;
  }
  kernel->lds_bytes_allowed = launch.lds_bytes;
  return kernel;
}

hipError_t HipDevice::enqueue(const HipKernel& kernel, const KernelLaunch& launch,
                              hipStream_t stream) {
  std::vector<KernelArgument> values = launch.arguments;
  std::vector<void*> arguments;
  for (KernelArgument& value : values)
    arguments.push_back(std::visit([](auto& one) { return static_cast<void*>(&one); }, value));
  const auto number = [](std::int64_t size) { return static_cast<unsigned>(size); };
  return hipModuleLaunchKernel(kernel.function, number(launch.grid[0]), number(launch.grid[1]),
                               number(launch.grid[2]), number(launch.block[0]),
                               number(launch.block[1]), number(launch.block[2]),
                               number(launch.lds_bytes), stream, arguments.data(), nullptr);
}

Outcome HipDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  Outcome outcome;
  const HipKernel* kernel = prepare(code, launch, &outcome);
  if (kernel == nullptr) return outcome;
  return outcome_of(enqueue(*kernel, launch, stream_.get()),
                    launch.entry + ": hipModuleLaunchKernel");
}

Outcome HipDevice::launch_beside(const LoadedCode& code, const KernelLaunch& launch) {
  Outcome outcome;
  const HipKernel* kernel = prepare(code, launch, &outcome);
  if (kernel == nullptr) return outcome;
  if (beside_.get() == nullptr)
    check(hipStreamCreateWithFlags(beside_.out(), hipStreamNonBlocking),
          "hipStreamCreateWithFlags");
  return outcome_of(enqueue(*kernel, launch, beside_.get()),
                    launch.entry + ": hipModuleLaunchKernel");
}

Outcome HipDevice::synchronize() {
  return outcome_of(hipStreamSynchronize(stream_.get()), "hipStreamSynchronize");
}

Outcome HipDevice::synchronize_all() {
  return outcome_of(hipDeviceSynchronize(), "hipDeviceSynchronize");
}

double HipDevice::stamp_us() {
  check(hipEventRecord(stamp_.get(), stream_.get()), "hipEventRecord");
  check(hipEventSynchronize(stamp_.get()), "hipEventSynchronize");
  if (stamped_) {
    // From stamp to stamp: a float of milliseconds since the start would lose the microseconds.
    float ms = 0;
    check(hipEventElapsedTime(&ms, last_stamp_.get(), stamp_.get()), "hipEventElapsedTime");
    now_us_ += 1000.0 * static_cast<double>(ms);
  }
  stamped_ = true;
  std::swap(last_stamp_, stamp_);
  return now_us_;
}

QueueTraits HipDevice::queue() const {
  QueueTraits traits;
  traits.asynchronous = true;
  traits.graphs = true;
  return traits;
}

HipSpans& HipDevice::spans() {
  if (spans_ == nullptr)
    spans_ = std::make_unique<HipSpans>(stream_.get(), CoreClock::make(properties_.target));
  return *spans_;
}

SpanTicket HipDevice::begin_span() {
  try {
    return spans().begin();
  } catch (const std::exception&) {
    find_out_whether_lost();
    throw;
  }
}

void HipDevice::end_span(SpanTicket& span) {
  try {
    spans().end(span);
  } catch (const std::exception&) {
    find_out_whether_lost();
    throw;
  }
}

Outcome HipDevice::read_span(const SpanTicket& span, SpanTime* time) {
  const char* call = "";
  const hipError_t error = spans().read(span, time, &call);
  return outcome_of(error, call);
}

std::unique_ptr<LaunchGraph> HipDevice::record(std::span<const QueuedLaunch> launches,
                                               Outcome* outcome) {
  std::vector<const HipKernel*> kernels;
  for (const QueuedLaunch& one : launches) {
    kernels.push_back(prepare(*one.code, one.launch, outcome));
    if (kernels.back() == nullptr) return nullptr;
  }
  const auto enqueue_all = [&] {
    hipError_t error = hipSuccess;
    for (std::size_t i = 0; i < kernels.size() && error == hipSuccess; ++i)
      error = enqueue(*kernels[i], launches[i].launch, stream_.get());
    return error;
  };
  hipError_t error = hipSuccess;
  const char* call = "";
  std::unique_ptr<LaunchGraph> graph = HipGraph::capture(stream_.get(), enqueue_all, &error, &call);
  if (graph == nullptr)
    *outcome = outcome_of(error, std::string("no graph of these launches: ") + call);
  return graph;
}

Outcome HipDevice::replay(const LaunchGraph& graph) {
  const auto* recorded = dynamic_cast<const HipGraph*>(&graph);
  if (recorded == nullptr) return {Status::launch_error, "the graph is another device's"};
  return outcome_of(recorded->launch(stream_.get()), "hipGraphLaunch");
}

}  // namespace fusetune::hip
