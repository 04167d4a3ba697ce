#include "harness/device/hip/hip_device.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <new>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/device/hip/gpu_users.hpp"
#include "harness/device/hip/hip_code.hpp"
#include "harness/device/hip/hip_error.hpp"
#include "harness/device/hip/platform.hpp"

namespace fusetune::hip {

namespace {

constexpr std::size_t kPage = 4096;

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

HipDevice::HipDevice(const Gpu& gpu) : gpu_(gpu) {
  try {
    start();
  } catch (const std::bad_alloc&) {
    throw UserError(
        fmt::format("{} ({}) does not start: its memory is all in use", gpu.product, gpu.pci));
  } catch (const std::runtime_error& error) {
    throw UserError(fmt::format("{} ({}) does not start: {}", gpu.product, gpu.pci, error.what()));
  }
}

void HipDevice::start() {
  read_properties();
  require(hipSetDevice(gpu_.index), "hipSetDevice");
  // Several workers take turns on a GPU while compilers want every core: waiting for streams and
  // copies sleeps. Events, by which spans are timed, are waited for awake.
  require(hipSetDeviceFlags(hipDeviceScheduleBlockingSync), "hipSetDeviceFlags");
  require(hipStreamCreateWithFlags(stream_.out(), hipStreamNonBlocking),
          "hipStreamCreateWithFlags");
  require(hipEventCreate(last_stamp_.out()), "hipEventCreate");
  require(hipEventCreate(stamp_.out()), "hipEventCreate");
}

void HipDevice::read_properties() {
  hipDeviceProp_t device;
  require(hipGetDeviceProperties(&device, gpu_.index), "hipGetDeviceProperties");
  int runtime = 0;
  require(hipRuntimeGetVersion(&runtime), "hipRuntimeGetVersion");
  properties_.name = folder_name(gpu_.product);
  try {
    properties_.target = parse_target(gpu_.target);
  } catch (const UserError& error) {
    throw std::runtime_error(fmt::format("its architecture is not known here: {}", error.what()));
  }
  properties_.facts.cu_count = device.multiProcessorCount;
  properties_.facts.lds_bytes_max = lds_bytes_max(device);
  properties_.facts.block_threads_max = device.maxThreadsPerBlock;
  properties_.cache_bytes = device.l2CacheSize;
  // Not which one of its kind: what was measured on one is not done again on the next.
  properties_.conditions = Json{{"gpu", gpu_.product},
                                {"memory_bytes", gpu_.memory_bytes},
                                {"driver", gpu_.driver},
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
  lost_ = lost_ || hipStreamSynchronize(stream_.get()) != hipSuccess;
  static_cast<void>(hipGetLastError());
}

DevicePointer HipDevice::allocate(std::size_t size_bytes, Place place) {
  const std::size_t whole = round_up(std::max<std::size_t>(size_bytes, 1));
  Memory memory;
  check(hipMalloc(memory.out(), whole + kPage), "hipMalloc");
  check(hipMemsetAsync(memory.get(), 0, whole + kPage, stream_.get()), "hipMemsetAsync");
  const auto base = static_cast<DevicePointer>(reinterpret_cast<std::uintptr_t>(memory.get()));
  const DevicePointer low = round_up(base);
  const DevicePointer pointer = place == Place::low ? low : low + whole - size_bytes;
  allocations_[pointer] = std::move(memory);
  return pointer;
}

void HipDevice::release(DevicePointer pointer) {
  const auto found = allocations_.find(pointer);
  if (found == allocations_.end()) throw std::logic_error("release of what was not allocated");
  allocations_.erase(found);  // hipFree waits for what uses it
}

void HipDevice::copy_to(DevicePointer destination, const void* source, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  check(hipMemcpyAsync(reinterpret_cast<void*>(destination), source, size_bytes,
                       hipMemcpyHostToDevice, stream_.get()),
        "hipMemcpyAsync to the device");
  check(hipStreamSynchronize(stream_.get()), "hipStreamSynchronize");
}

void HipDevice::copy_from(void* destination, DevicePointer source, std::size_t size_bytes) {
  if (size_bytes == 0) return;
  check(hipMemcpyAsync(destination, reinterpret_cast<const void*>(source), size_bytes,
                       hipMemcpyDeviceToHost, stream_.get()),
        "hipMemcpyAsync from the device");
  check(hipStreamSynchronize(stream_.get()), "hipStreamSynchronize");
}

void HipDevice::copy_within(DevicePointer destination, DevicePointer source,
                            std::size_t size_bytes) {
  if (size_bytes == 0) return;
  check(hipMemcpyAsync(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source),
                       size_bytes, hipMemcpyDeviceToDevice, stream_.get()),
        "hipMemcpyAsync within the device");
}

std::optional<std::int64_t> HipDevice::free_bytes() {
  std::size_t free_bytes = 0, total_bytes = 0;
  check(hipMemGetInfo(&free_bytes, &total_bytes), "hipMemGetInfo");
  return static_cast<std::int64_t>(free_bytes);
}

std::optional<std::vector<std::string>> HipDevice::other_users() {
  const auto users = users_of(gpu_.pci);
  if (users) return lines_of_others(*users, ::getpid());
  return std::nullopt;
}

std::unique_ptr<LoadedCode> HipDevice::load(const std::string& code_path, Outcome* outcome) {
  std::unique_ptr<LoadedCode> code = HipCode::load(code_path, outcome);
  // A fault of what ran before is told by whatever call comes next.
  if (code == nullptr) find_out_whether_lost();
  return code;
}

}  // namespace fusetune::hip
