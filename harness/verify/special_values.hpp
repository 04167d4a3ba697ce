#pragma once
// The bit patterns that careless code changes: NaN payloads, -0, denormals, infinities, extremes.

#include <cstdint>
#include <vector>

#include "harness/spec/dtype.hpp"

namespace fusetune {

/// At least one pattern, in the low bits; 8-bit types get all 256.
std::vector<std::uint64_t> special_values(DType dtype);

}  // namespace fusetune
