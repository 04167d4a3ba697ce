#include "harness/device/hip/hip_error.hpp"

#include <fmt/format.h>

#include <new>

#include "harness/device/device_error.hpp"
#include "harness/device/hip/platform.hpp"

namespace fusetune::hip {

std::string told(std::string_view call, hipError_t error) {
  return fmt::format("{}: {} ({})", call, hipGetErrorString(error), hipGetErrorName(error));
}

void require(hipError_t error, std::string_view call) {
  if (error == hipSuccess) return;
  static_cast<void>(hipGetLastError());  // told here, and not by the next call
  if (error == hipErrorOutOfMemory) throw std::bad_alloc();
  throw DeviceError(status_of(error), told(call, error));
}

Status status_of(hipError_t error) {
  switch (error) {
    case hipSuccess:
      return Status::ok;
    case hipErrorOutOfMemory:
      return Status::out_of_memory;
    case hipErrorLaunchOutOfResources:
      return Status::resource_limit;
    case hipErrorIllegalAddress:
    case hipErrorAssert:
    case hipErrorLaunchFailure:
      return Status::kernel_fault;
    case hipErrorLaunchTimeOut:
      return Status::kernel_timeout;
    default:
      return own_fault(error) == Status::ok ? Status::launch_error : own_fault(error);
  }
}

}  // namespace fusetune::hip
