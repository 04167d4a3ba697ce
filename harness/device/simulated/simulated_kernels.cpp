#include "harness/device/simulated/simulated_kernels.hpp"

#include <algorithm>
#include <cstring>

namespace fusetune {

namespace {

constexpr std::int64_t kElementBytes = 2;

/// Rows of qkvz and ba become mixed_qkv, z, b and a.
void split_rows(const SimulatedLaunch& launch, std::int64_t rows, std::byte** result) {
  const std::int64_t qkv = launch.number("qkv_width") * kElementBytes;
  const std::int64_t z = launch.number("z_width") * kElementBytes;
  const std::int64_t heads = launch.number("nv") * kElementBytes;
  const std::byte* in = launch.tensor("qkvz");
  const std::byte* gates = launch.tensor("ba");
  const auto copy = [](std::byte* to, const std::byte* from, std::int64_t bytes) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    copy(launch.tensor("mixed_qkv") + row * qkv, in + row * (qkv + z), qkv);
    copy(launch.tensor("z") + row * z, in + row * (qkv + z) + qkv, z);
    copy(launch.tensor("b") + row * heads, gates + row * 2 * heads, heads);
    copy(launch.tensor("a") + row * heads, gates + row * 2 * heads + heads, heads);
  }
  *result = launch.tensor("mixed_qkv");
}

/// What the grid covers, as the blocks of the real kernel would.
void simulated_rows(const SimulatedLaunch& launch, std::byte** result) {
  split_rows(launch,
             std::min(launch.number("tokens"), launch.grid_blocks * launch.number("rows_per_iter")),
             result);
}

void simulated_rows_plain(const SimulatedLaunch& launch, std::byte** result) {
  split_rows(launch, std::min(launch.number("tokens"), launch.grid_blocks), result);
}

std::int64_t rows_bytes(const SimulatedLaunch& launch) {
  const std::int64_t row =
      launch.number("qkv_width") + launch.number("z_width") + 2 * launch.number("nv");
  return 2 * kElementBytes * row * launch.number("tokens");
}

}  // namespace

const SimulatedKernel* find_simulated_kernel(const std::string& entry) {
  static const std::map<std::string, SimulatedKernel> kernels = {
      {"simulated_rows", {simulated_rows, rows_bytes}},
      {"simulated_rows_plain", {simulated_rows_plain, rows_bytes}},
  };
  const auto found = kernels.find(entry);
  return found == kernels.end() ? nullptr : &found->second;
}

}  // namespace fusetune
