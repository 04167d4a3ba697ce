#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "harness/base/file_descriptor.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

template <class Resource>
bool set_limit(Resource resource, std::int64_t value) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  const rlim_t wanted = std::min(static_cast<rlim_t>(value), limit.rlim_max);
  limit = {wanted, wanted};
  return ::setrlimit(resource, &limit) == 0;
}

Measure limit_memory(std::int64_t bytes) {
  const std::string refuses = fmt::format("more than {} MiB of address space", bytes / kMiB);
  if (kSanitized)
    return missing_measure("memory limit", refuses,
                           "the sanitizer reserves more address space than any limit leaves");
  const bool set = set_limit(RLIMIT_AS, bytes);
  return measure_by("memory limit", refuses, set, errno);
}

Measure forbid_processes() {
  const std::string name = "process limit";
  const std::string refuses = "new processes and threads";
  if (::getuid() == 0) return missing_measure(name, refuses, "it does not hold for root");
  const bool set = set_limit(RLIMIT_NPROC, 0);
  return measure_by(name, refuses, set, errno);
}

}  // namespace

ProcessLimits device_limits(std::int64_t machine_bytes) {
  ProcessLimits limits;
  // Half of the machine, but never less than what the largest cases take.
  limits.memory_bytes = std::max(machine_bytes / 2, 6 * kGiB);
  limits.file_bytes = 64 * kMiB;
  limits.open_files = 1024;
  // What a worker that nobody looks after may burn; its jobs have limits of their own.
  limits.processor_time_s = std::int64_t{24} * 3600;
  return limits;
}

std::int64_t machine_memory_bytes() {
  return static_cast<std::int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

std::vector<Measure> limit_resources(const ProcessLimits& limits) {
  std::vector<Measure> measures;
  measures.push_back(limit_memory(limits.memory_bytes));
  const auto add = [&measures](const char* name, std::string refuses, auto resource,
                               std::int64_t value) {
    const bool set = set_limit(resource, value);
    measures.push_back(measure_by(name, std::move(refuses), set, errno));
  };
  add("file size limit", fmt::format("files of more than {} MiB", limits.file_bytes / kMiB),
      RLIMIT_FSIZE, limits.file_bytes);
  add("open files limit", fmt::format("more than {} open files", limits.open_files), RLIMIT_NOFILE,
      limits.open_files);
  add("processor time limit", fmt::format("more than {} h of it", limits.processor_time_s / 3600),
      RLIMIT_CPU, limits.processor_time_s);
  measures.push_back(forbid_processes());
  return measures;
}

std::vector<Measure> become_memory_victim() {
  const FileDescriptor file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  const bool written = file.is_open() && ::write(file.get(), "1000", 4) == 4;
  return {measure_by("memory victim", "that others die when the machine runs out of memory",
                     written, errno)};
}

}  // namespace fusetune
