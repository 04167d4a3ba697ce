#include "harness/search/shuffled_points.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <unordered_set>
#include <utility>

namespace fusetune {

ShuffledPoints::ShuffledPoints(std::size_t points, std::uint64_t seed)
    : order_(points), ranks_(points) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  // std::shuffle may differ from library to library.
  std::mt19937_64 random(seed);
  for (std::size_t left = points; left > 1; --left)
    std::swap(order_[left - 1], order_[random() % left]);
  for (std::size_t i = 0; i < points; ++i) ranks_[order_[i]] = i;
}

void ShuffledPoints::fill(const Trials& trials, std::size_t count,
                          std::vector<std::size_t>& list) const {
  const std::unordered_set<std::size_t> listed(list.begin(), list.end());
  for (std::size_t i = 0; i < order_.size() && list.size() < count; ++i)
    if (!trials.is_tried(order_[i]) && listed.count(order_[i]) == 0) list.push_back(order_[i]);
}

}  // namespace fusetune
