#pragma once
// A search over a space of which every time is known.

#include <cstdint>

#include "harness/search/strategy.hpp"
#include "tests/search/recorded_space.hpp"

namespace fusetune::test {

/// How much slower than the fastest of all is what the search ends with, as a share. It tries
/// `evaluations` points in the batches of a campaign. A try is the median of three of the point's
/// samples; of what is worth a race the truly fastest wins.
double replay(const RecordedSpace& recorded, SearchStrategy& strategy, std::size_t evaluations,
              std::uint64_t seed);

}  // namespace fusetune::test
