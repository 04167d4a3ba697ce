#include "harness/search/time_model.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace fusetune {

namespace {

// What kernels do: times of axes that add up, times of pairs that belong together, and most often
// both. Finer grids choose the same points.
constexpr std::array<double, 3> kPairs = {0.1, 0.4, 0.8};
constexpr std::array<double, 2> kAlike = {0.0, 0.5};
constexpr std::array<double, 3> kNoise = {1e-3, 1e-2, 1e-1};

constexpr std::size_t kPointsForRules = 200;

/// The gain over `best` that is expected of a normal distribution.
double expected_gain(double best, double mean, double sd) {
  if (sd <= 0) return std::max(0.0, best - mean);
  const double z = (best - mean) / sd;
  const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
  return sd * (z * std::erfc(-z / std::numbers::sqrt2) / 2 + density);
}

}  // namespace

Eigen::MatrixXd TimeModel::likeness(const std::vector<std::size_t>& a,
                                    const std::vector<std::size_t>& b,
                                    const TimeModelRules& rules) const {
  const std::vector<SearchAxis>& axes = space_.axes();
  const auto axis_count = static_cast<double>(axes.size());
  const double pair_count = axis_count * (axis_count - 1) / 2;
  // A lone axis has no pairs.
  const double pairs = pair_count > 0 ? rules.pairs / pair_count : 0;
  const double singles = (pair_count > 0 ? 1 - rules.pairs : 1) / std::max(1.0, axis_count);
  std::vector<std::vector<double>> alike(axes.size());  // by how far apart two values are
  for (std::size_t axis = 0; axis < axes.size(); ++axis)
    for (std::size_t apart = 0; apart < axes[axis].values; ++apart)
      alike[axis].push_back(apart == 0 ? 1 : axes[axis].ordered ? std::pow(rules.alike, apart) : 0);
  Eigen::MatrixXd all(a.size(), b.size());
  for (std::size_t j = 0; j < b.size(); ++j) {
    const SearchPoint& to = space_.point(b[j]);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const SearchPoint& from = space_.point(a[i]);
      double sum = 0, squares = 0;
      for (std::size_t axis = 0; axis < axes.size(); ++axis) {
        const int apart = std::abs(int{from[axis]} - int{to[axis]});
        const double value = alike[axis][static_cast<std::size_t>(apart)];
        sum += value;
        squares += value * value;
      }
      // The sum over all pairs of the product of their two.
      all(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
          singles * sum + pairs * (sum * sum - squares) / 2;
    }
  }
  return all;
}

double TimeModel::surprise(const std::vector<std::size_t>& points, const Eigen::VectorXd& centred,
                           TimeModelRules& rules) const {
  Eigen::MatrixXd matrix = likeness(points, points, rules);
  matrix.diagonal().array() += rules.noise;
  const Eigen::LLT<Eigen::MatrixXd> solved(matrix);
  const auto n = static_cast<double>(points.size());
  // The amplitude under which these times are likeliest has a closed form.
  const double variance = std::max(1e-12, centred.dot(solved.solve(centred)) / n);
  rules.amplitude = std::sqrt(variance);
  const double log_determinant =
      2 * Eigen::MatrixXd(solved.matrixL()).diagonal().array().log().sum();
  return n * std::log(variance) + log_determinant;
}

void TimeModel::fit(const std::vector<std::size_t>& points, const Eigen::VectorXd& log_times) {
  points_ = points;
  mean_ = points.empty() ? 0 : log_times.mean();
  centred_ = log_times.array() - mean_;
  // The rules are three figures: an even part of many points tells them as well.
  const std::size_t stride = points.size() / kPointsForRules + 1;
  std::vector<std::size_t> some;
  std::vector<double> some_times;
  for (std::size_t i = 0; i < points.size(); i += stride) {
    some.push_back(points[i]);
    some_times.push_back(centred_(static_cast<Eigen::Index>(i)));
  }
  const Eigen::VectorXd some_centred =
      Eigen::Map<const Eigen::VectorXd>(some_times.data(), std::ssize(some_times));
  double least = std::numeric_limits<double>::infinity();
  for (const double pairs : kPairs)
    for (const double alike : kAlike)
      for (const double noise : kNoise) {
        TimeModelRules rules{pairs, alike, noise, 1};
        const double value = surprise(some, some_centred, rules);
        if (value >= least) continue;
        least = value;
        rules_ = rules;
      }
  Eigen::MatrixXd matrix = likeness(points_, points_, rules_);
  matrix.diagonal().array() += rules_.noise;
  const Eigen::LLT<Eigen::MatrixXd> solved(matrix);
  factor_ = solved.matrixL();
  weights_ = solved.solve(centred_);
}

Predictions TimeModel::predict(const std::vector<std::size_t>& points) const {
  const Eigen::MatrixXd across = likeness(points_, points, rules_);
  const Eigen::MatrixXd reduced = factor_.triangularView<Eigen::Lower>().solve(across);
  Predictions predictions;
  predictions.mean = (across.transpose() * weights_).array() + mean_;
  predictions.sd =
      rules_.amplitude * (1 - reduced.colwise().squaredNorm().transpose().array()).max(0).sqrt();
  return predictions;
}

std::vector<std::size_t> TimeModel::best_batch(const std::vector<std::size_t>& candidates,
                                               std::size_t count) const {
  const Eigen::MatrixXd across = likeness(points_, candidates, rules_);
  const auto known = static_cast<Eigen::Index>(points_.size());
  Eigen::MatrixXd reduced(known + static_cast<Eigen::Index>(std::min(count, candidates.size())),
                          across.cols());
  reduced.topRows(known) = factor_.triangularView<Eigen::Lower>().solve(across);
  const Eigen::VectorXd mean = across.transpose() * weights_;
  Eigen::VectorXd variance = 1 - reduced.topRows(known).colwise().squaredNorm().transpose().array();
  double best = points_.empty() ? 0 : centred_.minCoeff();
  std::vector<std::size_t> batch;
  std::vector<bool> taken(candidates.size());
  while (batch.size() < std::min(count, candidates.size())) {
    Eigen::Index next = -1;
    double most = -1;
    for (Eigen::Index i = 0; i < mean.size(); ++i) {
      if (taken[static_cast<std::size_t>(i)]) continue;
      const double sd = rules_.amplitude * std::sqrt(std::max(0.0, variance(i)));
      const double gain = expected_gain(best, mean(i), sd);
      if (gain <= most) continue;
      most = gain;
      next = i;
    }
    const auto chosen = static_cast<std::size_t>(next);
    taken[chosen] = true;
    batch.push_back(candidates[chosen]);
    best = std::min(best, mean(next));
    // As if its time were known to be the predicted one: means stay, uncertainty goes.
    const double pivot = std::max(0.0, variance(next)) + rules_.noise;
    const Eigen::Index row = known + std::ssize(batch) - 1;
    reduced.row(row) = (likeness({candidates[chosen]}, candidates, rules_) -
                        reduced.col(next).head(row).transpose() * reduced.topRows(row)) /
                       std::sqrt(pivot);
    variance.array() -= reduced.row(row).transpose().array().square();
  }
  return batch;
}

}  // namespace fusetune
