#pragma once
// What a failed call of the runtime means.

#include <string>
#include <string_view>

#include "harness/base/status.hpp"
#include "harness/device/hip/names.hpp"

namespace fusetune::hip {

/// "hipMemcpyAsync: out of memory (hipErrorOutOfMemory)".
std::string told(std::string_view call, hipError_t error);

/// Of calls that are no launch. Throws std::bad_alloc when memory ran out, and else DeviceError.
void require(hipError_t error, std::string_view call);

/// What a failed launch or wait is to the kernel.
Status status_of(hipError_t error);

}  // namespace fusetune::hip
