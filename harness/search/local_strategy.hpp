#pragma once
// Greedy descent: tries the neighbours of the fastest point until none is faster, then begins again
// elsewhere.

#include "harness/search/shuffled_points.hpp"
#include "harness/search/strategy.hpp"

namespace fusetune {

class LocalStrategy : public SearchStrategy {
 public:
  LocalStrategy(const SearchSpace& space, std::uint64_t seed)
      : space_(space), shuffled_(space.size(), seed) {}

  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override;

 private:
  /// The points with a time that were tried since the descent began, the fastest first.
  std::vector<std::size_t> standings(const Trials& trials) const;
  std::vector<std::size_t> untried_neighbours(std::size_t point, const Trials& trials) const;

  const SearchSpace& space_;
  ShuffledPoints shuffled_;
  std::size_t begun_at_ = 0;  ///< how many had been tried when this descent began
};

}  // namespace fusetune
