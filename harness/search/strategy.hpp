#pragma once
// Which points of a space to try next: strategies for spaces too large to race as a whole.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/search/search_space.hpp"
#include "harness/search/trials.hpp"

namespace fusetune {

enum class StrategyKind {
  exhaustive,  ///< every point, in order
  random,      ///< no point more likely than another
  local,       ///< descent by steps along one axis, with restarts
  model,       ///< a regression on the times so far says where the next are
};

std::string_view to_string(StrategyKind kind);
/// Nothing where there is no such strategy.
std::optional<StrategyKind> strategy_from_string(std::string_view name);
std::vector<std::string> strategy_names();

class SearchStrategy {
 public:
  virtual ~SearchStrategy() = default;
  /// Points that were not tried, all different: `count` of them, fewer only where no more are left.
  /// The same calls with the same trials give the same points.
  virtual std::vector<std::size_t> propose(const Trials& trials, std::size_t count) = 0;
};

/// The space must outlive the strategy.
std::unique_ptr<SearchStrategy> make_strategy(StrategyKind kind, const SearchSpace& space,
                                              std::uint64_t seed);

}  // namespace fusetune
