#include "harness/device/host/fault_text.hpp"

#include <fmt/format.h>

namespace fusetune {

std::array<std::int64_t, 3> index_of(std::uint64_t linear,
                                     const std::array<std::int64_t, 3>& extent) {
  const auto number = static_cast<std::int64_t>(linear);
  return {number % extent[0], number / extent[0] % extent[1], number / extent[0] / extent[1]};
}

std::string index_text(const std::array<std::int64_t, 3>& index,
                       const std::array<std::int64_t, 3>& extent) {
  if (extent[1] == 1 && extent[2] == 1) return fmt::format("{}", index[0]);
  return fmt::format("({}, {}, {})", index[0], index[1], index[2]);
}

std::string bytes_text(std::int64_t count) {
  return fmt::format("{} byte{}", count, count == 1 ? "" : "s");
}

}  // namespace fusetune
