// The model against ridge regression written out: a coefficient for each value and pair of values.

#include "harness/search/time_model.hpp"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace fusetune {
namespace {

SearchSpace words() {
  std::vector<SearchPoint> points;
  for (std::uint16_t a = 0; a < 3; ++a)
    for (std::uint16_t b = 0; b < 4; ++b)
      for (std::uint16_t c = 0; c < 2; ++c) points.push_back({a, b, c});
  return {{{"a", 3, false}, {"b", 4, false}, {"c", 2, false}}, points};
}

double log_time(const SearchPoint& point) {
  return 0.3 * point[0] + 0.1 * point[1] * point[1] - 0.2 * point[2] +
         (point[0] == 2 && point[1] == 3 ? -1.5 : 0);
}

std::vector<std::size_t> every(std::size_t step, std::size_t size) {
  std::vector<std::size_t> list;
  for (std::size_t i = 0; i < size; i += step) list.push_back(i);
  return list;
}

Eigen::VectorXd times_of(const SearchSpace& space, const std::vector<std::size_t>& points) {
  Eigen::VectorXd times(points.size());
  for (std::size_t i = 0; i < points.size(); ++i)
    times(static_cast<Eigen::Index>(i)) = log_time(space.point(points[i]));
  return times;
}

/// One column per value, then one per pair of values, scaled so that a coefficient of either kind
/// has its share of the variance.
Eigen::MatrixXd features(const SearchSpace& space, const std::vector<std::size_t>& points,
                         const TimeModelRules& rules) {
  const std::size_t columns = (3 + 4 + 2) + (3 * 4 + 3 * 2 + 4 * 2);
  Eigen::MatrixXd all = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(points.size()),
                                              static_cast<Eigen::Index>(columns));
  const double single = std::sqrt((1 - rules.pairs) / 3), pair = std::sqrt(rules.pairs / 3);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const SearchPoint& p = space.point(points[i]);
    const auto row = static_cast<Eigen::Index>(i);
    all(row, p[0]) = all(row, 3 + p[1]) = all(row, 7 + p[2]) = single;
    all(row, 9 + 4 * p[0] + p[1]) = all(row, 21 + 2 * p[0] + p[2]) =
        all(row, 27 + 2 * p[1] + p[2]) = pair;
  }
  return all;
}

TEST(TimeModel, IsRidgeRegressionOnValuesAndPairs) {
  const SearchSpace space = words();
  const std::vector<std::size_t> tried = every(2, space.size());
  const std::vector<std::size_t> all = every(1, space.size());
  const Eigen::VectorXd times = times_of(space, tried);
  TimeModel model(space);
  model.fit(tried, times);
  const TimeModelRules& rules = model.rules();
  const Eigen::MatrixXd x = features(space, tried, rules);
  const Eigen::MatrixXd asked = features(space, all, rules);
  const Eigen::MatrixXd normal =
      x.transpose() * x + rules.noise * Eigen::MatrixXd::Identity(x.cols(), x.cols());
  const Eigen::LLT<Eigen::MatrixXd> solved(normal);
  const Eigen::VectorXd centred = times.array() - times.mean();
  const Eigen::VectorXd mean =
      (asked * solved.solve(x.transpose() * centred)).array() + times.mean();
  const Eigen::MatrixXd covariance =
      rules.amplitude * rules.amplitude * rules.noise * asked * solved.solve(asked.transpose());
  const Predictions predicted = model.predict(all);
  for (Eigen::Index i = 0; i < mean.size(); ++i) {
    EXPECT_NEAR(predicted.mean(i), mean(i), 1e-9);
    EXPECT_NEAR(predicted.sd(i), std::sqrt(covariance(i, i)), 1e-6);
  }
}

TEST(TimeModel, IsSurerOfWhatWasTried) {
  const SearchSpace space = words();
  const std::vector<std::size_t> tried = {0, 1, 2, 3, 8, 9};
  TimeModel model(space);
  model.fit(tried, times_of(space, tried));
  const Predictions predicted = model.predict({0, 23});
  EXPECT_LT(predicted.sd(0), predicted.sd(1) / 2) << "another first word, and another second";
}

TEST(TimeModel, SeesAPairThatBelongsTogether) {
  const SearchSpace space = words();
  // Everything but one of the two points of the fast pair.
  std::vector<std::size_t> tried = every(1, space.size());
  const std::size_t left_out = 23;  // a=2, b=3, c=1
  std::erase(tried, left_out);
  TimeModel model(space);
  model.fit(tried, times_of(space, tried));
  const double expected = log_time(space.point(left_out));
  EXPECT_NEAR(model.predict({left_out}).mean(0), expected, 0.4);
  EXPECT_GT(model.rules().pairs, 0.1);
  EXPECT_EQ(model.best_batch({0, 5, left_out, 9}, 1), std::vector<std::size_t>{left_out});
}

TEST(TimeModel, ABatchIsNotManyTimesTheSamePromise) {
  // Nothing is known of two of the words: a batch of two asks for both.
  const SearchSpace space = words();
  std::vector<std::size_t> tried, open;
  for (std::size_t i = 0; i < space.size(); ++i)
    (space.point(i)[1] < 2 ? tried : open).push_back(i);
  TimeModel model(space);
  model.fit(tried, times_of(space, tried));
  const std::vector<std::size_t> batch = model.best_batch(open, 2);
  ASSERT_EQ(batch.size(), 2);
  EXPECT_NE(space.point(batch[0])[1], space.point(batch[1])[1]);
  EXPECT_EQ(model.best_batch(open, 100).size(), open.size());
}

TEST(TimeModel, EqualTimesAreNoTrouble) {
  const SearchSpace space = words();
  TimeModel model(space);
  model.fit({0, 7, 13}, Eigen::VectorXd::Constant(3, 2.0));
  EXPECT_NEAR(model.predict({20}).mean(0), 2.0, 1e-6);
  EXPECT_EQ(model.best_batch({1, 2, 3}, 2).size(), 2);
}

TEST(TimeModel, NeighboursOnAnOrderedAxisAreAlikeWhereTheTimesSaySo) {
  std::vector<SearchPoint> points;
  for (std::uint16_t a = 0; a < 12; ++a)
    for (std::uint16_t b = 0; b < 2; ++b) points.push_back({a, b});
  const SearchSpace space({{"a", 12, true}, {"b", 2, false}}, points);
  std::vector<std::size_t> tried;
  std::vector<double> times;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (points[i][0] != 6) {
      tried.push_back(i);
      times.push_back(0.2 * points[i][0]);
    }
  TimeModel model(space);
  model.fit(tried, Eigen::Map<const Eigen::VectorXd>(times.data(), std::ssize(times)));
  EXPECT_GT(model.rules().alike, 0);
  EXPECT_NEAR(model.predict({12}).mean(0), 1.2, 0.15) << "between its neighbours";
}

}  // namespace
}  // namespace fusetune
