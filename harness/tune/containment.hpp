#pragma once
// What each kind of worker gives up before its first request.

#include <filesystem>
#include <memory>
#include <vector>

#include "harness/device/line_finder.hpp"
#include "harness/sandbox/measure.hpp"

namespace fusetune {

struct ContainedDevice {
  std::vector<Measure> measures;
  std::shared_ptr<LineFinder> lines;  ///< a process that was started before
};

/// For workers of the host device: kernels are native code in their process. Without a scratch
/// folder nothing is given up.
ContainedDevice contain_device_worker(const std::filesystem::path& scratch);

/// Compile workers run compilers, which start programs and write files; they get no network.
std::vector<Measure> contain_compile_worker();

/// For workers that run kernels on a GPU: its driver opens devices and maps memory as it likes.
ContainedDevice contain_gpu_worker();

}  // namespace fusetune
