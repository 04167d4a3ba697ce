#pragma once
// What a cubin, NVIDIA's ELF file, says of its kernels.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fusetune::nvidia {

struct CubinKernel {
  std::string entry;
  std::int64_t code_bytes = 0;
  std::optional<std::int64_t> argument_bytes;
  std::optional<std::int64_t> block_threads_max;  ///< of __launch_bounds__
  /// {bytes per lane, instructions}, ascending: accesses of global memory.
  std::vector<std::pair<std::int64_t, std::int64_t>> global_loads, global_stores;
};

/// In the file's order. Throws std::runtime_error when it is no cubin, or damaged.
std::vector<CubinKernel> read_cubin(std::string_view code);

}  // namespace fusetune::nvidia
