#include "harness/device/host/cpu.hpp"

#include <sched.h>
#include <unistd.h>

#include <fstream>

namespace fusetune {

namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

/// What one core can reach. sysconf() adds up the caches of all sockets and dies, /sys does not.
std::int64_t last_level_cache_bytes() {
  for (const char* index : {"3", "2"}) {
    std::ifstream file(std::string("/sys/devices/system/cpu/cpu0/cache/index") + index + "/size");
    std::int64_t size = 0;
    char unit = 0;
    if (file >> size >> unit && size > 0)
      return size * (unit == 'K' ? 1024 : unit == 'M' ? 1024 * 1024 : 1);
  }
  for (const int name : {_SC_LEVEL3_CACHE_SIZE, _SC_LEVEL2_CACHE_SIZE})
    if (const long bytes = ::sysconf(name); bytes > 0) return bytes;
  return 0;
}

}  // namespace

CpuFacts read_cpu_facts() {
  CpuFacts facts;
  facts.model = cpu_model();
  cpu_set_t allowed;
  facts.threads = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
  facts.cache_bytes = last_level_cache_bytes();
  return facts;
}

}  // namespace fusetune
