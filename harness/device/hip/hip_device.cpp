#include "harness/device/hip/hip_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <new>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/device/hip/hip_code.hpp"
#include "harness/device/hip/hip_error.hpp"
#include "harness/device/hip/platform.hpp"

namespace fusetune::hip {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::int64_t kLdsWithoutAsking = 48 << 10;

std::size_t round_up(std::size_t value) { return (value + kPage - 1) / kPage * kPage; }

/// "NVIDIA H200" as "nvidia-h200": also a folder's name.
std::string folder_name(std::string_view product) {
  std::string name;
  for (const char c : product) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isalnum(letter) != 0)
      name += static_cast<char>(std::tolower(letter));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name;
}

}  // namespace

HipDevice::HipDevice(const Gpu& gpu) : index_(gpu.index) {
  try {
    start(gpu);
  } catch (const std::bad_alloc&) {
    close();
    throw UserError(
        fmt::format("{} ({}) does not start: its memory is all in use", gpu.product, gpu.pci));
  } catch (const std::runtime_error& error) {
    close();
    throw UserError(fmt::format("{} ({}) does not start: {}", gpu.product, gpu.pci, error.what()));
  }
}

void HipDevice::start(const Gpu& gpu) {
  read_properties(gpu);
  require(hipSetDevice(index_), "hipSetDevice");
  require(hipStreamCreateWithFlags(&stream_, hipStreamNonBlocking), "hipStreamCreateWithFlags");
  require(hipEventCreate(&last_stamp_), "hipEventCreate");
  require(hipEventCreate(&stamp_), "hipEventCreate");
}

HipDevice::~HipDevice() { close(); }

void HipDevice::close() {
  // Of a lost device nothing can be given back, and nobody is left to be told.
  for (const auto& [pointer, base] : allocations_) static_cast<void>(hipFree(base));
  for (hipEvent_t event : {stamp_, last_stamp_})
    if (event != nullptr) static_cast<void>(hipEventDestroy(event));
  if (stream_ != nullptr) static_cast<void>(hipStreamDestroy(stream_));
}

void HipDevice::read_properties(const Gpu& gpu) {
  hipDeviceProp_t device;
  require(hipGetDeviceProperties(&device, index_), "hipGetDeviceProperties");
  int runtime = 0;
  require(hipRuntimeGetVersion(&runtime), "hipRuntimeGetVersion");
  properties_.name = folder_name(gpu.product);
  try {
    properties_.target = parse_target(gpu.target);
  } catch (const UserError& error) {
    throw std::runtime_error(fmt::format("its architecture is not known here: {}", error.what()));
  }
  properties_.facts.cu_count = device.multiProcessorCount;
  properties_.facts.lds_bytes_max = lds_bytes_max(device);
  properties_.facts.block_threads_max = device.maxThreadsPerBlock;
  properties_.cache_bytes = device.l2CacheSize;
  // Not which one of its kind: what was measured on one is not done again on the next.
  properties_.conditions = Json{{"gpu", gpu.product},
                                {"memory_bytes", gpu.memory_bytes},
                                {"driver", gpu.driver},
                                {"runtime", version_text(runtime)}};
}

void HipDevice::check(hipError_t error, std::string_view call) {
  if (error == hipSuccess) return;
  find_out_whether_lost();
  require(error, call);
}

Outcome HipDevice::outcome_of(hipError_t error, const std::string& what) {
  if (error == hipSuccess) return {};
  find_out_whether_lost();
  return {status_of(error), told(what, error)};
}

void HipDevice::find_out_whether_lost() {
  // After a fault every later call fails as well; other errors are told once.
  static_cast<void>(hipGetLastError());
  lost_ = lost_ || hipStreamSynchronize(stream_) != hipSuccess;
  static_cast<void>(hipGetLastError());
}

DevicePointer HipDevice::allocate(std::size_t size_bytes, Place place) {
  const std::size_t whole = round_up(std::max<std::size_t>(size_bytes, 1));
  void* base = nullptr;
  check(hipMalloc(&base, whole + kPage), "hipMalloc");
  if (const hipError_t error = hipMemsetAsync(base, 0, whole + kPage, stream_);
      error != hipSuccess) {
    static_cast<void>(hipFree(base));
    check(error, "hipMemsetAsync");
  }
  const auto low = static_cast<DevicePointer>(round_up(reinterpret_cast<std::uintptr_t>(base)));
  const DevicePointer pointer = place == Place::low ? low : low + whole - size_bytes;
  allocations_[pointer] = base;
  return pointer;
}

void HipDevice::release(DevicePointer pointer) {
  const auto found = allocations_.find(pointer);
  if (found == allocations_.end()) throw std::logic_error("release of what was not allocated");
  // The device may be lost, and with it its memory.
  static_cast<void>(hipStreamSynchronize(stream_));
  static_cast<void>(hipFree(found->second));
  allocations_.erase(found);
}

void HipDevice::copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  check(hipMemcpyAsync(reinterpret_cast<void*>(destination), source, size_bytes,
                       hipMemcpyHostToDevice, stream_),
        "hipMemcpyAsync to the device");
  check(hipStreamSynchronize(stream_), "hipStreamSynchronize");
}

void HipDevice::copy_from(void* destination, DevicePointer source, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  check(hipMemcpyAsync(destination, reinterpret_cast<const void*>(source), size_bytes,
                       hipMemcpyDeviceToHost, stream_),
        "hipMemcpyAsync from the device");
  check(hipStreamSynchronize(stream_), "hipStreamSynchronize");
}

std::unique_ptr<LoadedCode> HipDevice::load(const std::string& code_path, Outcome* outcome) {
  return HipCode::load(code_path, outcome);
}

Outcome HipDevice::launch(const LoadedCode& code, const KernelLaunch& launch) {
  const auto* loaded = dynamic_cast<const HipCode*>(&code);
  if (loaded == nullptr) return {Status::launch_error, "the code was loaded by another device"};
  HipKernel* kernel = loaded->find(launch.entry);
  if (kernel == nullptr)
    return {Status::launch_error, fmt::format("kernel {} is not in the code object", launch.entry)};
  if (launch.lds_bytes > std::max(kLdsWithoutAsking, kernel->lds_bytes_allowed)) {
    if (Outcome outcome = outcome_of(allow_lds_bytes(kernel->function, index_, launch.lds_bytes),
                                     "shared memory of " + launch.entry);
        !outcome.ok())
      return {Status::resource_limit, outcome.message};
    kernel->lds_bytes_allowed = launch.lds_bytes;
  }
  for (const auto* sizes : {&launch.grid, &launch.block})
    for (const std::int64_t size : *sizes)
      if (size < 1 || size > 0x7fffffff)
        return {Status::launch_error, fmt::format("{}: a grid or block of {}", launch.entry, size)};
  std::vector<KernelArgument> values = launch.arguments;
  std::vector<void*> arguments;
  for (KernelArgument& value : values)
    arguments.push_back(std::visit([](auto& one) { return static_cast<void*>(&one); }, value));
  const auto number = [](std::int64_t size) { return static_cast<unsigned>(size); };
  hipError_t error = hipModuleLaunchKernel(
      kernel->function, number(launch.grid[0]), number(launch.grid[1]), number(launch.grid[2]),
      number(launch.block[0]), number(launch.block[1]), number(launch.block[2]),
      number(launch.lds_bytes), stream_, arguments.data(), nullptr);
  if (error == hipSuccess) error = hipGetLastError();
  return outcome_of(error, launch.entry);
}

Outcome HipDevice::synchronize() {
  return outcome_of(hipStreamSynchronize(stream_), "waiting for the kernels");
}

double HipDevice::stamp_us() {
  check(hipEventRecord(stamp_, stream_), "hipEventRecord");
  check(hipEventSynchronize(stamp_), "hipEventSynchronize");
  if (stamped_) {
    // From stamp to stamp: a float of milliseconds since the start would lose the microseconds.
    float ms = 0;
    check(hipEventElapsedTime(&ms, last_stamp_, stamp_), "hipEventElapsedTime");
    now_us_ += 1000.0 * static_cast<double>(ms);
  }
  stamped_ = true;
  std::swap(last_stamp_, stamp_);
  return now_us_;
}

}  // namespace fusetune::hip
