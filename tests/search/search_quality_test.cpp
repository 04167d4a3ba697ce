// How far from the exhaustive best each strategy ends on spaces of which every time is known. Each
// check is held against a strategy with a planted bug as well. scripts/search-quality prints the
// table of docs/measuring.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "tests/search/replay.hpp"

namespace fusetune::test {
namespace {

using Make = std::function<std::unique_ptr<SearchStrategy>(const RecordedSpace&, std::uint64_t)>;

struct Regrets {
  double median = 0, p95 = 0;
};

Regrets regrets_of(const RecordedSpace& recorded, const Make& make, double share, int seeds) {
  const auto evaluations =
      static_cast<std::size_t>(std::lround(share * static_cast<double>(recorded.space.size())));
  std::vector<double> all;
  for (int i = 1; i <= seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(i);
    all.push_back(replay(recorded, *make(recorded, seed), evaluations, seed));
  }
  std::sort(all.begin(), all.end());
  const auto at = [&all](double quantile) {
    return all[static_cast<std::size_t>(
        std::lround(quantile * static_cast<double>(all.size() - 1)))];
  };
  return {at(0.5), at(0.95)};
}

Make shipped(StrategyKind kind) {
  return [kind](const RecordedSpace& recorded, std::uint64_t seed) {
    return make_strategy(kind, recorded.space, seed);
  };
}

/// Planted: takes the slow for the fast.
class UpsideDown : public SearchStrategy {
 public:
  explicit UpsideDown(std::unique_ptr<SearchStrategy> right) : right_(std::move(right)) {}
  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override {
    Trials turned(trials.size());
    for (const std::size_t point : trials.tried())
      if (const auto time = trials.time(point))
        turned.give_time(point, 1 / *time);
      else
        turned.begin(point);
    return right_->propose(turned, count);
  }

 private:
  std::unique_ptr<SearchStrategy> right_;
};

/// Planted: never asks for one point.
class LeavesOut : public SearchStrategy {
 public:
  LeavesOut(std::unique_ptr<SearchStrategy> right, std::size_t point)
      : right_(std::move(right)), point_(point) {}
  std::vector<std::size_t> propose(const Trials& trials, std::size_t count) override {
    Trials known = trials;
    known.begin(point_);
    return right_->propose(known, count);
  }

 private:
  std::unique_ptr<SearchStrategy> right_;
  std::size_t point_;
};

Make upside_down(StrategyKind kind) {
  return [kind](const RecordedSpace& recorded, std::uint64_t seed) {
    return std::make_unique<UpsideDown>(make_strategy(kind, recorded.space, seed));
  };
}

RecordedSpace recorded_space(const std::string& name) {
  for (RecordedSpace& one : recorded_spaces())
    if (one.name == name) return std::move(one);
  throw std::invalid_argument("no recorded space " + name);
}

constexpr int kSeeds = 40;

/// Half of the random strategy's regret or less, at a fifth of the space.
bool beats_random(const RecordedSpace& recorded, const Make& make) {
  const Regrets random = regrets_of(recorded, shipped(StrategyKind::random), 0.2, kSeeds);
  const Regrets own = regrets_of(recorded, make, 0.2, kSeeds);
  return own.median <= random.median / 2 && own.p95 < random.p95;
}

bool finds_the_best(const RecordedSpace& recorded, const Make& make) {
  return regrets_of(recorded, make, 1, 1).p95 == 0;
}

TEST(SearchQuality, ModelAndLocalBeatRandom) {
  const RecordedSpace recorded = recorded_space("split_reshape_cat 4");
  for (const StrategyKind kind : {StrategyKind::local, StrategyKind::model}) {
    SCOPED_TRACE(to_string(kind));
    EXPECT_TRUE(beats_random(recorded, shipped(kind)));
    EXPECT_FALSE(beats_random(recorded, upside_down(kind)));
  }
  EXPECT_FALSE(beats_random(recorded, shipped(StrategyKind::random)));
}

TEST(SearchQuality, ExhaustiveFindsTheBest) {
  const std::vector<RecordedSpace> spaces = recorded_spaces();
  ASSERT_FALSE(spaces.empty());
  for (const RecordedSpace& recorded : spaces) {
    SCOPED_TRACE(recorded.name);
    EXPECT_TRUE(finds_the_best(recorded, shipped(StrategyKind::exhaustive)));
    const auto best = static_cast<std::size_t>(
        std::min_element(recorded.us.begin(), recorded.us.end()) - recorded.us.begin());
    EXPECT_FALSE(finds_the_best(recorded, [best](const RecordedSpace& its, std::uint64_t seed) {
      return std::make_unique<LeavesOut>(make_strategy(StrategyKind::exhaustive, its.space, seed),
                                         best);
    }));
  }
}

TEST(SearchQuality, Table) {
  const char* many = std::getenv("FUSETUNE_SEARCH_SEEDS");
  if (many == nullptr) GTEST_SKIP() << "scripts/search-quality prints the table";
  std::vector<RecordedSpace> spaces = recorded_spaces();
  spaces.push_back(made_up_space("made up, 512 rows", 512, 10240));
  spaces.push_back(made_up_space("made up, 16384 rows", 16384, 10240));
  std::printf(
      "| space | variants | strategy | 5 %% | 10 %% | 20 %% | 40 %% "
      "|\n|---|---|---|---|---|---|---|\n");
  for (const RecordedSpace& recorded : spaces)
    for (const StrategyKind kind :
         {StrategyKind::random, StrategyKind::local, StrategyKind::model}) {
      std::printf("| %s | %zu | %s |", recorded.name.c_str(), recorded.space.size(),
                  std::string(to_string(kind)).c_str());
      for (const double share : {0.05, 0.1, 0.2, 0.4}) {
        const Regrets regrets = regrets_of(recorded, shipped(kind), share, std::atoi(many));
        std::printf(" %.1f, %.1f |", 100 * regrets.median, 100 * regrets.p95);
      }
      std::printf("\n");
      std::fflush(stdout);
    }
}

}  // namespace
}  // namespace fusetune::test
