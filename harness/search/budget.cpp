#include "harness/search/budget.hpp"

#include <algorithm>

namespace fusetune {

namespace {

constexpr std::size_t kBatches = 8;
/// A batch below this is not worth its warm-up.
constexpr std::size_t kBatchMin = 4;

}  // namespace

std::size_t next_batch(std::size_t evaluations, std::size_t tried, std::size_t searches) {
  const std::size_t left = evaluations - std::min(tried, evaluations);
  const std::size_t even = (evaluations + kBatches - 1) / kBatches;
  const std::size_t batch = std::max({even, kBatchMin, searches});
  // A last batch of a few would cost as much as a whole one.
  return left < batch + batch / 2 ? left : batch;
}

}  // namespace fusetune
