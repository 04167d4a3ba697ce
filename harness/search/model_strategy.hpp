#pragma once
// A model of the times so far says which points to try next: the ones that promise most, the
// uncertain ones among them.

#include "harness/search/shuffled_points.hpp"
#include "harness/search/strategy.hpp"

namespace fusetune {

class ModelStrategy : public SearchStrategy {
 public:
  ModelStrategy(const SearchSpace& space, std::uint64_t seed)
      : space_(space), shuffled_(space.size(), seed) {}

  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override;

 private:
  /// Untried ones: all, or of a large space a random part and the neighbours of the fastest.
  std::vector<std::size_t> candidates(const Trials& trials) const;

  const SearchSpace& space_;
  ShuffledPoints shuffled_;
};

}  // namespace fusetune
