#include "harness/device/hip/platform.hpp"

#include <fmt/format.h>

#include <string_view>

namespace fusetune::hip {

#ifdef FUSETUNE_HIP_OVER_CUDA

Platform platform() { return Platform::nvidia; }

std::string version_text(int version) {
  return fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

std::string uuid_of(const hipDeviceProp_t& properties, int /*device*/) {
  std::string uuid = "GPU-";
  for (std::size_t i = 0; i < sizeof properties.uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) uuid += '-';
    uuid += fmt::format("{:02x}", static_cast<unsigned char>(properties.uuid.bytes[i]));
  }
  return uuid;
}

std::string no_gpu_hint() { return "it needs NVIDIA's driver and a GPU that nvidia-smi shows"; }

std::string target_name(const hipDeviceProp_t& properties) {
  return "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
}

std::int64_t lds_bytes_max(const hipDeviceProp_t& properties) {
  return static_cast<std::int64_t>(properties.sharedMemPerBlockOptin);
}

hipError_t allow_lds_bytes(hipFunction_t function, int device, std::int64_t bytes) {
  return cudaKernelSetAttributeForDevice(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                         static_cast<int>(bytes), device);
}

Status own_fault(hipError_t error) {
  switch (error) {
    case cudaErrorMisalignedAddress:
      return Status::misaligned;
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
      return Status::kernel_fault;
    default:
      return Status::ok;
  }
}

#else

Platform platform() { return Platform::amd; }

std::string version_text(int version) {
  return fmt::format("HIP {}.{}", version / 10000000, version / 100000 % 100);
}

std::string uuid_of(const hipDeviceProp_t& /*properties*/, int device) {
  // Sixteen hexadecimal digits as text.
  hipUUID uuid;
  if (hipDeviceGetUuid(&uuid, device) != hipSuccess) {
    static_cast<void>(hipGetLastError());
    return "";
  }
  const std::string_view digits(uuid.bytes, sizeof uuid.bytes);
  if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return "";
  return "GPU-" + std::string(digits);
}

std::string no_gpu_hint() {
  return "it needs the amdgpu driver, and /dev/kfd and /dev/dri open to this user (group render)";
}

std::string target_name(const hipDeviceProp_t& properties) {
  // "gfx90a:sramecc+:xnack-": features are facts of the machine, not other instructions.
  const std::string name = properties.gcnArchName;
  return name.substr(0, name.find(':'));
}

std::int64_t lds_bytes_max(const hipDeviceProp_t& properties) {
  return static_cast<std::int64_t>(properties.sharedMemPerBlock);
}

hipError_t allow_lds_bytes(hipFunction_t /*function*/, int /*device*/, std::int64_t /*bytes*/) {
  return hipSuccess;  // all of it is there without asking
}

Status own_fault(hipError_t /*error*/) {
  return Status::ok;  // a bad address ends the process
}

#endif

}  // namespace fusetune::hip
