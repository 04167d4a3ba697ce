#pragma once
// Words that messages about kernels share.

#include <array>
#include <cstdint>
#include <string>

namespace fusetune {

/// Indices of a linear number, x first.
std::array<std::int64_t, 3> index_of(std::uint64_t linear,
                                     const std::array<std::int64_t, 3>& extent);

/// "3" where the others are one wide, else "(3, 0, 1)".
std::string index_text(const std::array<std::int64_t, 3>& index,
                       const std::array<std::int64_t, 3>& extent);

/// "1 byte", "2 bytes".
std::string bytes_text(std::int64_t count);

}  // namespace fusetune
