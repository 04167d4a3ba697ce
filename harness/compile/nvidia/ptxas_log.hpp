#pragma once
// What ptxas says of each kernel when it is asked (-v).

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fusetune::nvidia {

/// Bytes are per thread, but for shared memory.
struct PtxasFacts {
  std::optional<std::int64_t> registers, stack_bytes, spill_store_bytes, spill_load_bytes,
      shared_bytes;
};

/// By entry. What a log does not say stays empty.
std::map<std::string, PtxasFacts, std::less<>> read_ptxas_log(std::string_view log);

}  // namespace fusetune::nvidia
