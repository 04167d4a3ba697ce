#include "harness/device/hip/gpus.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/device/hip/hip_error.hpp"
#include "harness/device/hip/platform.hpp"

namespace fusetune::hip {

namespace {

/// 0 where no driver is installed.
int driver_version() {
  int version = 0;
  if (hipDriverGetVersion(&version) != hipSuccess) static_cast<void>(hipGetLastError());
  return version;
}

std::string why_none(hipError_t error) {
  const int driver = driver_version();
  if (error == hipSuccess || error == hipErrorNoDevice) return "none here: " + no_gpu_hint();
  if (error != hipErrorInsufficientDriver) return told("hipGetDeviceCount", error);
  if (driver == 0) return "no driver is installed: " + no_gpu_hint();
  int runtime = 0;
  require(hipRuntimeGetVersion(&runtime), "hipRuntimeGetVersion");
  return fmt::format("the driver is too old: it is for {}, and this module needs one for {}",
                     version_text(driver), version_text(runtime));
}

Gpu describe(int index, int driver) {
  hipDeviceProp_t properties;
  require(hipGetDeviceProperties(&properties, index), "hipGetDeviceProperties");
  char pci[32] = "";
  require(hipDeviceGetPCIBusId(pci, sizeof pci, index), "hipDeviceGetPCIBusId");
  Gpu gpu;
  gpu.platform = platform();
  gpu.index = index;
  gpu.product = properties.name;
  gpu.target = target_name(properties);
  gpu.uuid = uuid_of(properties, index);
  for (const char c : std::string_view(pci))
    gpu.pci += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  gpu.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  gpu.driver = version_text(driver);
  return gpu;
}

}  // namespace

std::vector<Gpu> gpus() {
  int count = 0;
  const hipError_t error = hipGetDeviceCount(&count);
  if (error != hipSuccess || count == 0) {
    static_cast<void>(hipGetLastError());
    throw UserError(why_none(error));
  }
  const int driver = driver_version();
  std::vector<Gpu> all;
  for (int i = 0; i < count; ++i) all.push_back(describe(i, driver));
  return all;
}

}  // namespace fusetune::hip
