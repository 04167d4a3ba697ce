// What every strategy keeps, and what each is for.

#include "harness/search/strategy.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "harness/search/budget.hpp"

namespace fusetune {
namespace {

using testing::AllOf;
using testing::Each;
using testing::Ge;

/// Two ordered axes and a word; every seventh point is a hole.
SearchSpace grid() {
  std::vector<SearchPoint> points;
  for (std::uint16_t a = 0; a < 8; ++a)
    for (std::uint16_t b = 0; b < 8; ++b)
      for (std::uint16_t c = 0; c < 3; ++c)
        if ((a * 24 + b * 3 + c) % 7 != 6) points.push_back({a, b, c});
  return {{{"a", 8, true}, {"b", 8, true}, {"c", 3, false}}, points};
}

/// One valley, whose way turns: the best `b` follows from `a`.
double valley(const SearchPoint& point) {
  return 10 + std::pow(point[0] - 5, 2) + 0.4 * std::abs(point[1] - point[0]) +
         (point[2] == 1 ? 0 : 3);
}

/// The points in the order in which they are asked for.
std::vector<std::size_t> order_of(StrategyKind kind, const SearchSpace& space, std::uint64_t seed,
                                  std::size_t evaluations) {
  const auto strategy = make_strategy(kind, space, seed);
  Trials trials(space.size());
  while (trials.tried().size() < evaluations) {
    const std::size_t count = next_batch(evaluations, trials.tried().size(), 1);
    const std::vector<std::size_t> batch = strategy->propose(trials, count);
    EXPECT_EQ(batch.size(), count);
    EXPECT_EQ(std::set<std::size_t>(batch.begin(), batch.end()).size(), count) << "twice in one";
    for (const std::size_t point : batch) {
      EXPECT_FALSE(trials.is_tried(point));
      // Some fail: they have no time.
      if (space.point(point)[0] == 0)
        trials.give_up(point);
      else
        trials.give_time(point, valley(space.point(point)));
    }
    if (testing::Test::HasFailure()) break;
  }
  return trials.tried();
}

TEST(Strategies, AskForEachPointOnceUntilNoneIsLeft) {
  const SearchSpace space = grid();
  for (const std::string& name : strategy_names()) {
    SCOPED_TRACE(name);
    const StrategyKind kind = *strategy_from_string(name);
    EXPECT_EQ(to_string(kind), name);
    EXPECT_EQ(order_of(kind, space, 1, space.size()).size(), space.size());
    // More than there is.
    Trials trials(space.size());
    const auto strategy = make_strategy(kind, space, 1);
    EXPECT_EQ(strategy->propose(trials, 10 * space.size()).size(), space.size());
    for (std::size_t i = 0; i < space.size(); ++i) trials.give_up(i);
    EXPECT_TRUE(strategy->propose(trials, 5).empty());
  }
  EXPECT_FALSE(strategy_from_string("models"));
}

TEST(Strategies, AreTheSameForASeedAndOthersForAnother) {
  const SearchSpace space = grid();
  for (const StrategyKind kind : {StrategyKind::random, StrategyKind::local, StrategyKind::model}) {
    SCOPED_TRACE(to_string(kind));
    EXPECT_EQ(order_of(kind, space, 3, 40), order_of(kind, space, 3, 40));
    EXPECT_NE(order_of(kind, space, 3, 40), order_of(kind, space, 4, 40));
  }
  EXPECT_EQ(order_of(StrategyKind::exhaustive, space, 3, 40),
            order_of(StrategyKind::exhaustive, space, 4, 40));
}

TEST(Strategies, LearnFromWhatWasUnderWayWithoutATime) {
  // The first points are another case's: begun, but unknown. Nobody asks for them again.
  const SearchSpace space = grid();
  for (const std::string& name : strategy_names()) {
    SCOPED_TRACE(name);
    Trials trials(space.size());
    for (std::size_t i = 0; i < 40; ++i) trials.begin(i);
    EXPECT_THAT(make_strategy(*strategy_from_string(name), space, 1)->propose(trials, 20),
                AllOf(testing::SizeIs(20), Each(Ge(40))));
  }
}

TEST(LocalStrategy, FollowsTheValleyAndBeginsAgainAtItsEnd) {
  const SearchSpace space = grid();
  const auto strategy = make_strategy(StrategyKind::local, space, 5);
  Trials trials(space.size());
  // The only start: every batch of one is a neighbour of the best until none is left.
  trials.give_time(0, valley(space.point(0)));
  std::size_t restarts = 0, asked = 0;
  while (*trials.time(*trials.best()) > 10 && ++asked < space.size()) {
    const std::size_t point = strategy->propose(trials, 1).front();
    bool is_step = false;
    for (const std::size_t other : space.neighbours(point))
      is_step = is_step || trials.time(other).has_value();
    restarts += is_step ? 0 : 1;
    trials.give_time(point, valley(space.point(point)));
  }
  EXPECT_LT(asked, space.size() / 3);
  EXPECT_LE(restarts, 1);
  // At the optimum with all neighbours known, the next is no step from it.
  for (const std::size_t point : space.neighbours(*trials.best()))
    trials.give_time(point, valley(space.point(point)));
  const std::size_t elsewhere = strategy->propose(trials, 1).front();
  for (const std::size_t point : space.neighbours(*trials.best())) EXPECT_NE(point, elsewhere);
}

TEST(ModelStrategy, FindsTheBottomOfAPairOfAxes) {
  const SearchSpace space = grid();
  int found = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto order = order_of(StrategyKind::model, space, seed, 40);
    for (const std::size_t point : order)
      if (valley(space.point(point)) <= 10) {
        ++found;
        break;
      }
  }
  EXPECT_GE(found, 18);
}

TEST(ModelStrategy, AvoidsWhereNothingWorked) {
  // All with the first word fail, whatever else: after a few of them others are asked for.
  const SearchSpace space = grid();
  const auto strategy = make_strategy(StrategyKind::model, space, 2);
  Trials trials(space.size());
  std::size_t failed = 0;
  while (trials.tried().size() < 48)
    for (const std::size_t point : strategy->propose(trials, 6)) {
      if (space.point(point)[2] == 0) {
        trials.give_up(point);
        failed += trials.tried().size() > 12 ? 1 : 0;
      } else {
        trials.give_time(point, 10 + space.point(point)[0] + space.point(point)[1]);
      }
    }
  EXPECT_LE(failed, 6) << "of 36, where chance has 12";
}

TEST(Budget, SpendsAllInAboutEightBatches) {
  for (const std::size_t evaluations : {1, 3, 7, 16, 64, 1000}) {
    std::size_t tried = 0, batches = 0;
    while (tried < evaluations) {
      const std::size_t batch = next_batch(evaluations, tried, 1);
      ASSERT_GT(batch, 0);
      tried += batch;
      ++batches;
    }
    EXPECT_EQ(tried, evaluations);
    EXPECT_LE(batches, 8);
  }
  EXPECT_EQ(next_batch(64, 0, 20), 20) << "each of 20 cases has its say";
  EXPECT_EQ(next_batch(8, 8, 1), 0);
}

}  // namespace
}  // namespace fusetune
