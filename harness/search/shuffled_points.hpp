#pragma once
// The points of a space in a random order that a seed fixes, the same with every standard library.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "harness/search/trials.hpp"

namespace fusetune {

class ShuffledPoints {
 public:
  ShuffledPoints(std::size_t points, std::uint64_t seed);

  /// Adds untried points that are not in the list, until it has so many or none is left.
  void fill(const Trials& trials, std::size_t count, std::vector<std::size_t>& list) const;
  /// The position of a point in this order: breaks ties without preferring the space's.
  std::size_t rank(std::size_t point) const { return ranks_[point]; }

 private:
  std::vector<std::size_t> order_;
  std::vector<std::size_t> ranks_;
};

}  // namespace fusetune
