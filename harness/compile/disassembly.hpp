#pragma once
// Memory accesses counted in AMD assembly text: proof that a kernel still moves 16 bytes per lane.

#include <cstdint>
#include <map>
#include <string_view>

namespace fusetune {

struct AccessCounts {
  std::map<std::int64_t, std::int64_t> loads;  ///< bytes per lane -> instructions
  std::map<std::int64_t, std::int64_t> stores;
};

/// Adds the global, flat and buffer loads and stores of the lines of `assembly`. Scalar loads, LDS
/// and scratch do not count. Before gfx11 scratch goes through buffer instructions, in whatever
/// registers the compiler put its resource; so with `has_scratch` no buffer instruction counts.
void count_accesses(std::string_view assembly, bool has_scratch, AccessCounts* counts);

}  // namespace fusetune
