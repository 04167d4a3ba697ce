#pragma once
// The GPUs of this machine as their platforms describe them, and the one that a name means.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

struct Gpu {
  Platform platform = Platform::amd;
  int index = 0;        ///< in its platform
  std::string product;  ///< "NVIDIA H200"
  std::string target;   ///< "gfx942", "sm_90"; fusetune may not know it
  std::string uuid;     ///< "GPU-..." as the vendor's tools print it, "" where the driver has none
  std::string pci;      ///< "0000:1b:00.0"
  std::int64_t memory_bytes = 0;
  std::string driver;  ///< "CUDA 13.0", "HIP 5.2"
};

Json to_json(const Gpu& gpu);

/// GPUs of all platforms, AMD's first: hip:N is the N-th. And of each platform without any, why.
struct GpuList {
  std::vector<Gpu> gpus;
  std::vector<std::string> absent;  ///< "AMD: ...", "NVIDIA: ..."
};

Json to_json(const GpuList& list);

/// Whether a device's name says that it is a GPU: it begins with "hip:".
bool is_gpu(std::string_view name);

/// What "hip:N", "hip:GPU-..." (a UUID or its beginning) or "hip:0000:1b:00.0" (with or without the
/// domain) means. Throws UserError with the GPUs that there are.
const Gpu& choose_gpu(std::string_view name, const GpuList& list);

/// Loads the platforms' modules and their drivers: for workers alone.
GpuList list_gpus();

}  // namespace fusetune
