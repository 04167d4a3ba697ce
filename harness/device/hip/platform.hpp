#pragma once
// What HIP's names do not cover: how the two platforms tell a device's name, instruction set and
// limits.

#include <cstdint>
#include <string>

#include "harness/base/status.hpp"
#include "harness/device/hip/names.hpp"
#include "harness/spec/target.hpp"

namespace fusetune::hip {

Platform platform();
/// "HIP 5.2", "CUDA 13.0".
std::string version_text(int version);
/// As the vendor's tools print it: "GPU-..."; "" where the driver has none.
std::string uuid_of(const hipDeviceProp_t& properties, int device);
/// Why a machine on which the runtime does not start may have no GPU.
std::string no_gpu_hint();
/// "gfx942", "sm_90".
std::string target_name(const hipDeviceProp_t& properties);
/// Shared memory that one block may ask for.
std::int64_t lds_bytes_max(const hipDeviceProp_t& properties);
/// Lets launches of a kernel ask for this much dynamic shared memory.
hipError_t allow_lds_bytes(hipFunction_t function, int device, std::int64_t bytes);
/// Faults of kernels that the platform tells by errors without a name in HIP; ok for any other.
Status own_fault(hipError_t error);

}  // namespace fusetune::hip
