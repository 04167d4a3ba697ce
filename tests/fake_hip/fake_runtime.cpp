// Devices, memory, streams and events of the fake runtime.

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "fake_state.hpp"

using fake_hip::begin;
using fake_hip::created;
using fake_hip::destroyed;
using fake_hip::misuse;
using fake_hip::pass_us;
using fake_hip::state;

namespace {

constexpr int kRuntimeVersion = 60300000;

struct ErrorText {
  hipError_t error;
  const char* name;
  const char* text;
};

constexpr ErrorText kErrors[] = {
    {hipSuccess, "hipSuccess", "no error"},
    {hipErrorInvalidValue, "hipErrorInvalidValue", "invalid argument"},
    {hipErrorOutOfMemory, "hipErrorOutOfMemory", "out of memory"},
    {hipErrorInsufficientDriver, "hipErrorInsufficientDriver", "driver version is insufficient"},
    {hipErrorNoDevice, "hipErrorNoDevice", "no ROCm-capable device is detected"},
    {hipErrorInvalidDevice, "hipErrorInvalidDevice", "invalid device ordinal"},
    {hipErrorECCNotCorrectable, "hipErrorECCNotCorrectable", "uncorrectable ECC error"},
    {hipErrorInvalidHandle, "hipErrorInvalidHandle", "invalid resource handle"},
    {hipErrorNotFound, "hipErrorNotFound", "named symbol not found"},
    {hipErrorIllegalAddress, "hipErrorIllegalAddress", "an illegal memory access"},
    {hipErrorLaunchOutOfResources, "hipErrorLaunchOutOfResources", "out of resources"},
    {hipErrorLaunchTimeOut, "hipErrorLaunchTimeOut", "the launch timed out"},
    {hipErrorAssert, "hipErrorAssert", "device-side assert triggered"},
    {hipErrorLaunchFailure, "hipErrorLaunchFailure", "unspecified launch failure"},
    {hipErrorStreamCaptureUnsupported, "hipErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {hipErrorStreamCaptureInvalidated, "hipErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {hipErrorUnknown, "hipErrorUnknown", "unknown error"},
};

const ErrorText& text_of(hipError_t error) {
  const auto* found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                   [error](const ErrorText& one) { return one.error == error; });
  return found == std::end(kErrors) ? kErrors[std::size(kErrors) - 1] : *found;
}

void write_text(char* destination, std::size_t size, const std::string& text) {
  std::memset(destination, 0, size);
  std::memcpy(destination, text.data(), std::min(text.size(), size - 1));
}

hipError_t take_memory(void** pointer, std::size_t size_bytes, const char* kind) {
  fake_hip::State& now = state();
  if (now.memory_in_use + size_bytes > fake_hip::machine().memory_bytes ||
      size_bytes > fake_hip::machine().block_bytes_max)
    return now.last = hipErrorOutOfMemory;
  *pointer = std::malloc(size_bytes);
  // What nobody wrote is no zero.
  std::memset(*pointer, 0xa5, size_bytes);
  now.memory[*pointer] = size_bytes;
  now.memory_in_use += size_bytes;
  created(kind);
  return hipSuccess;
}

hipError_t give_memory(void* pointer, const char* kind) {
  fake_hip::State& now = state();
  const auto found = now.memory.find(pointer);
  if (found == now.memory.end()) return misuse();
  now.memory_in_use -= found->second;
  now.memory.erase(found);
  std::free(pointer);
  destroyed(kind);
  return hipSuccess;
}

/// A failed call that gives something back has given it back all the same: its caller can do no
/// more.
template <typename Give>
hipError_t giving_back(const char* call, Give give) {
  const hipError_t error = begin(call);
  const hipError_t given = give();
  return error != hipSuccess ? error : given;
}

}  // namespace

extern "C" {

const char* hipGetErrorName(hipError_t error) { return text_of(error).name; }
const char* hipGetErrorString(hipError_t error) { return text_of(error).text; }

hipError_t hipGetLastError() {
  const hipError_t last = state().last;
  state().last = state().sticky;
  return last;
}

hipError_t hipGetDeviceCount(int* count) {
  if (const hipError_t error = begin("hipGetDeviceCount"); error != hipSuccess) return error;
  *count = state().device_count;
  if (state().driver_version < kRuntimeVersion) return state().last = hipErrorInsufficientDriver;
  return *count > 0 ? hipSuccess : state().last = hipErrorNoDevice;
}

hipError_t hipSetDevice(int device) {
  if (const hipError_t error = begin("hipSetDevice"); error != hipSuccess) return error;
  return device < state().device_count ? hipSuccess : state().last = hipErrorInvalidDevice;
}

hipError_t hipSetDeviceFlags(unsigned flags) {
  if (const hipError_t error = begin("hipSetDeviceFlags"); error != hipSuccess) return error;
  return flags == hipDeviceScheduleBlockingSync ? hipSuccess : state().last = hipErrorInvalidValue;
}

hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int device) {
  if (const hipError_t error = begin("hipGetDeviceProperties"); error != hipSuccess) return error;
  if (device >= state().device_count) return state().last = hipErrorInvalidDevice;
  *properties = {};
  write_text(properties->name, sizeof properties->name, "Fake Instinct F1");
  write_text(properties->gcnArchName, sizeof properties->gcnArchName, state().architecture);
  properties->totalGlobalMem = fake_hip::machine().memory_bytes;
  properties->sharedMemPerBlock = 64 << 10;
  properties->maxThreadsPerBlock = 1024;
  properties->multiProcessorCount = 304;
  properties->l2CacheSize = fake_hip::machine().cache_bytes;
  return hipSuccess;
}

hipError_t hipDeviceGetPCIBusId(char* id, int size, int device) {
  if (const hipError_t error = begin("hipDeviceGetPCIBusId"); error != hipSuccess) return error;
  write_text(id, static_cast<std::size_t>(size), "0000:1" + std::to_string(device) + ":00.0");
  return hipSuccess;
}

hipError_t hipDeviceGetUuid(hipUUID* uuid, hipDevice_t device) {
  if (const hipError_t error = begin("hipDeviceGetUuid"); error != hipSuccess) return error;
  std::memcpy(uuid->bytes, "00000000fa4e0000", sizeof uuid->bytes);
  uuid->bytes[0] = static_cast<char>('0' + device);
  return hipSuccess;
}

hipError_t hipDriverGetVersion(int* version) {
  if (const hipError_t error = begin("hipDriverGetVersion"); error != hipSuccess) return error;
  *version = state().driver_version;
  return hipSuccess;
}

hipError_t hipRuntimeGetVersion(int* version) {
  if (const hipError_t error = begin("hipRuntimeGetVersion"); error != hipSuccess) return error;
  *version = kRuntimeVersion;
  return hipSuccess;
}

hipError_t hipMalloc(void** pointer, std::size_t size_bytes) {
  if (const hipError_t error = begin("hipMalloc"); error != hipSuccess) return error;
  return take_memory(pointer, size_bytes, "allocation");
}

hipError_t hipFree(void* pointer) {
  return giving_back("hipFree", [pointer] { return give_memory(pointer, "allocation"); });
}

hipError_t hipHostMalloc(void** pointer, std::size_t size_bytes, unsigned /*flags*/) {
  if (const hipError_t error = begin("hipHostMalloc"); error != hipSuccess) return error;
  return take_memory(pointer, size_bytes, "host allocation");
}

hipError_t hipHostFree(void* pointer) {
  return giving_back("hipHostFree", [pointer] { return give_memory(pointer, "host allocation"); });
}

hipError_t hipMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  if (const hipError_t error = begin("hipMemGetInfo"); error != hipSuccess) return error;
  *total_bytes = fake_hip::machine().memory_bytes;
  *free_bytes = *total_bytes - state().memory_in_use;
  return hipSuccess;
}

hipError_t hipMemcpyAsync(void* destination, const void* source, std::size_t size_bytes,
                          hipMemcpyKind /*kind*/, hipStream_t stream) {
  if (const hipError_t error = begin("hipMemcpyAsync"); error != hipSuccess) return error;
  std::memmove(destination, source, size_bytes);
  // On a live machine slower than what it pretends to be.
  constexpr double kLiveBytesPerUs = 5000;
  pass_us(stream, fake_hip::machine().kernel_us > 0
                      ? 1 + static_cast<double>(size_bytes) / kLiveBytesPerUs
                      : 1);
  return hipSuccess;
}

hipError_t hipMemsetAsync(void* destination, int value, std::size_t size_bytes,
                          hipStream_t /*stream*/) {
  if (const hipError_t error = begin("hipMemsetAsync"); error != hipSuccess) return error;
  std::memset(destination, value, size_bytes);
  return hipSuccess;
}

hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned /*flags*/) {
  if (const hipError_t error = begin("hipStreamCreateWithFlags"); error != hipSuccess) return error;
  *stream = new ihipStream_t;
  state().streams.insert(*stream);
  created("stream");
  return hipSuccess;
}

hipError_t hipStreamDestroy(hipStream_t stream) {
  return giving_back("hipStreamDestroy", [stream] {
    state().streams.erase(stream);
    delete stream;
    destroyed("stream");
    return hipSuccess;
  });
}

hipError_t hipStreamSynchronize(hipStream_t stream) {
  fake_hip::wait_until(stream->now_us);
  return begin("hipStreamSynchronize");
}

hipError_t hipDeviceSynchronize() {
  for (const ihipStream_t* stream : state().streams) fake_hip::wait_until(stream->now_us);
  return begin("hipDeviceSynchronize");
}

hipError_t hipEventCreate(hipEvent_t* event) {
  if (const hipError_t error = begin("hipEventCreate"); error != hipSuccess) return error;
  *event = new ihipEvent_t;
  created("event");
  return hipSuccess;
}

hipError_t hipEventDestroy(hipEvent_t event) {
  return giving_back("hipEventDestroy", [event] {
    state().recorded.erase(event);
    delete event;
    destroyed("event");
    return hipSuccess;
  });
}

hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  if (const hipError_t error = begin("hipEventRecord"); error != hipSuccess) return error;
  event->recorded = true;
  state().recorded.insert(event);
  pass_us(stream, 0);
  event->us = stream->now_us;
  return hipSuccess;
}

hipError_t hipEventSynchronize(hipEvent_t event) {
  if (event->recorded) fake_hip::wait_until(event->us);
  return begin("hipEventSynchronize");
}

hipError_t hipEventElapsedTime(float* ms, hipEvent_t from, hipEvent_t to) {
  if (const hipError_t error = begin("hipEventElapsedTime"); error != hipSuccess) return error;
  if (!from->recorded || !to->recorded) return misuse();
  *ms = static_cast<float>((to->us - from->us) / 1000);
  return hipSuccess;
}

}  // extern "C"
