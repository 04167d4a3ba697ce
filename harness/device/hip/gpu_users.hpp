#pragma once
// Which processes use a GPU, as its driver tells it. Nothing of it is needed to run there.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fusetune::hip {

struct GpuUser {
  std::int64_t pid = 0;
  std::int64_t bytes = 0;  ///< of its memory; 0 where nobody says
};

/// By NVIDIA's library of this name; nothing where it is not there or does not tell.
std::optional<std::vector<GpuUser>> users_by_nvml(const std::string& library,
                                                  const std::string& pci);
/// By what AMD's driver shows in this folder.
std::optional<std::vector<GpuUser>> users_by_kfd(const std::filesystem::path& root,
                                                 const std::string& pci);
/// By the driver of this platform.
std::optional<std::vector<GpuUser>> users_of(const std::string& pci);

/// One line for each user but `own_pid`. In a container the driver's numbers may be those outside
/// of it: then one of them is this process.
std::vector<std::string> lines_of_others(const std::vector<GpuUser>& users, std::int64_t own_pid);

}  // namespace fusetune::hip
