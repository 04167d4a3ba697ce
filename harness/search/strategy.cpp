#include "harness/search/strategy.hpp"

#include <array>
#include <utility>

#include "harness/search/local_strategy.hpp"
#include "harness/search/model_strategy.hpp"
#include "harness/search/shuffled_points.hpp"

namespace fusetune {

namespace {

constexpr std::array<std::pair<StrategyKind, std::string_view>, 4> kNames = {{
    {StrategyKind::exhaustive, "exhaustive"},
    {StrategyKind::random, "random"},
    {StrategyKind::local, "local"},
    {StrategyKind::model, "model"},
}};

class ExhaustiveStrategy : public SearchStrategy {
 public:
  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override {
    std::vector<std::size_t> list;
    for (std::size_t i = 0; i < trials.size() && list.size() < count; ++i)
      if (!trials.is_tried(i)) list.push_back(i);
    return list;
  }
};

class RandomStrategy : public SearchStrategy {
 public:
  RandomStrategy(const SearchSpace& space, std::uint64_t seed) : shuffled_(space.size(), seed) {}
  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override {
    std::vector<std::size_t> list;
    shuffled_.fill(trials, count, list);
    return list;
  }

 private:
  ShuffledPoints shuffled_;
};

}  // namespace

std::string_view to_string(StrategyKind kind) {
  for (const auto& [known, name] : kNames)
    if (known == kind) return name;
  return "";
}

std::optional<StrategyKind> strategy_from_string(std::string_view name) {
  for (const auto& [kind, known] : kNames)
    if (known == name) return kind;
  return std::nullopt;
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const auto& [kind, name] : kNames) names.emplace_back(name);
  return names;
}

std::unique_ptr<SearchStrategy> make_strategy(StrategyKind kind, const SearchSpace& space,
                                              std::uint64_t seed) {
  switch (kind) {
    case StrategyKind::exhaustive:
      return std::make_unique<ExhaustiveStrategy>();
    case StrategyKind::random:
      return std::make_unique<RandomStrategy>(space, seed);
    case StrategyKind::local:
      return std::make_unique<LocalStrategy>(space, seed);
    case StrategyKind::model:
      return std::make_unique<ModelStrategy>(space, seed);
  }
  return nullptr;
}

}  // namespace fusetune
