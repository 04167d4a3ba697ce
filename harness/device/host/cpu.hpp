#pragma once
// What the processor is.

#include <cstdint>
#include <string>

namespace fusetune {

struct CpuFacts {
  std::string model;
  int threads = 1;  ///< that this process may run on
  std::int64_t cache_bytes = 0;
};

CpuFacts read_cpu_facts();

}  // namespace fusetune
