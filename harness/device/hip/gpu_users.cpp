#include "harness/device/hip/gpu_users.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <memory>
#include <string_view>

namespace fusetune::hip {

namespace {

/// As nvml.h has it since CUDA 12.
struct NvmlProcess {
  unsigned pid = 0;
  unsigned long long bytes = 0;
  unsigned gpu_instance = 0, compute_instance = 0;
};

constexpr unsigned long long kNvmlUnknown = std::numeric_limits<unsigned long long>::max();
constexpr unsigned kUsersMax = 256;

template <typename Function>
Function* symbol(void* library, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(library, name));
}

std::int64_t number_in(const std::filesystem::path& file) {
  std::int64_t value = 0;
  std::ifstream(file) >> value;
  return value;
}

/// "0000:1b:00.0" as the driver's topology numbers it: bus, device and function in 16 bits.
std::int64_t location_of(const std::string& pci) {
  unsigned domain = 0, bus = 0, device = 0, function = 0;
  if (std::sscanf(pci.c_str(), "%x:%x:%x.%x", &domain, &bus, &device, &function) != 4) return -1;
  return std::int64_t{bus} << 8 | std::int64_t{device} << 3 | function;
}

std::int64_t property_of(const std::filesystem::path& node, std::string_view name) {
  std::ifstream properties(node / "properties");
  std::string key;
  for (std::int64_t value = 0; properties >> key >> value;)
    if (key == name) return value;
  return -1;
}

/// The number that the driver has given to it; 0 for none.
std::int64_t kfd_number(const std::filesystem::path& root, const std::string& pci) {
  std::error_code error;
  for (const auto& node : std::filesystem::directory_iterator(root / "topology/nodes", error)) {
    const std::int64_t number = number_in(node.path() / "gpu_id");
    if (number != 0 && property_of(node.path(), "location_id") == location_of(pci)) return number;
  }
  return 0;
}

}  // namespace

std::optional<std::vector<GpuUser>> users_by_nvml(const std::string& library,
                                                  const std::string& pci) {
  const std::unique_ptr<void, int (*)(void*)> nvml(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL),
                                                   ::dlclose);
  if (!nvml) return std::nullopt;
  auto* init = symbol<int()>(nvml.get(), "nvmlInit_v2");
  auto* shutdown = symbol<int()>(nvml.get(), "nvmlShutdown");
  auto* find = symbol<int(const char*, void**)>(nvml.get(), "nvmlDeviceGetHandleByPciBusId_v2");
  auto* list = symbol<int(void*, unsigned*, NvmlProcess*)>(
      nvml.get(), "nvmlDeviceGetComputeRunningProcesses_v3");
  if (init == nullptr || shutdown == nullptr || find == nullptr || list == nullptr || init() != 0)
    return std::nullopt;
  std::optional<std::vector<GpuUser>> users;
  void* device = nullptr;
  std::vector<NvmlProcess> processes(kUsersMax);
  unsigned count = kUsersMax;
  if (find(pci.c_str(), &device) == 0 && list(device, &count, processes.data()) == 0) {
    users.emplace();
    for (unsigned i = 0; i < std::min(count, kUsersMax); ++i)
      users->push_back({processes[i].pid, processes[i].bytes == kNvmlUnknown
                                              ? 0
                                              : static_cast<std::int64_t>(processes[i].bytes)});
  }
  static_cast<void>(shutdown());
  return users;
}

std::optional<std::vector<GpuUser>> users_by_kfd(const std::filesystem::path& root,
                                                 const std::string& pci) {
  const std::int64_t number = kfd_number(root, pci);
  std::error_code error;
  const std::filesystem::directory_iterator processes(root / "proc", error);
  if (number == 0 || error) return std::nullopt;
  std::vector<GpuUser> users;
  for (const auto& process : processes) {
    const std::string name = process.path().filename();
    GpuUser user;
    if (std::from_chars(name.data(), name.data() + name.size(), user.pid).ec != std::errc())
      continue;
    user.bytes = number_in(process.path() / fmt::format("vram_{}", number));
    // Each process of the driver is shown for each GPU.
    if (user.bytes > 0) users.push_back(user);
  }
  return users;
}

std::optional<std::vector<GpuUser>> users_of(const std::string& pci) {
#ifdef FUSETUNE_HIP_OVER_CUDA
  return users_by_nvml("libnvidia-ml.so.1", pci);
#else
  return users_by_kfd("/sys/class/kfd/kfd", pci);
#endif
}

std::vector<std::string> lines_of_others(const std::vector<GpuUser>& users, std::int64_t own_pid) {
  const bool known = std::any_of(users.begin(), users.end(),
                                 [own_pid](const GpuUser& user) { return user.pid == own_pid; });
  if (!known && users.size() <= 1) return {};
  if (!known)
    return {
        fmt::format("{} besides this process, by numbers of another container", users.size() - 1)};
  std::vector<std::string> lines;
  for (const GpuUser& user : users)
    if (user.pid != own_pid)
      lines.push_back(
          fmt::format("process {}{}", user.pid,
                      user.bytes == 0 ? "" : fmt::format(" with {} MiB", user.bytes >> 20)));
  return lines;
}

}  // namespace fusetune::hip
