#pragma once
// A ridge regression of log times on the values of axes and of pairs of axes. It is solved in its
// dual form, over the tried points in place of the coefficients: the same figures, from a matrix
// that does not grow with the number of pairs, and each prediction comes with its uncertainty.

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "harness/search/search_space.hpp"

namespace fusetune {

/// Of a ridge regression: what differs between points, before anything was measured.
struct TimeModelRules {
  double pairs = 0.5;      ///< share that lies in pairs of axes, not in single ones
  double alike = 0;        ///< how alike neighbouring values of an ordered axis are: 0 not at all
  double noise = 0.01;     ///< variance of what neither tells, over all that they do
  double amplitude = 1.0;  ///< standard deviation of log times by axes and pairs
};

/// Of log times, one per point that was asked for.
struct Predictions {
  Eigen::VectorXd mean, sd;
};

class TimeModel {
 public:
  explicit TimeModel(const SearchSpace& space) : space_(space) {}

  /// To the log times of these points. Takes the rules by which they are least surprising (the
  /// marginal likelihood, over a small grid).
  void fit(const std::vector<std::size_t>& points, const Eigen::VectorXd& log_times);
  const TimeModelRules& rules() const { return rules_; }

  Predictions predict(const std::vector<std::size_t>& points) const;

  /// `count` of the candidates to try at once: each the one from which the greatest gain over the
  /// best time is expected, when those before it come out as predicted.
  std::vector<std::size_t> best_batch(const std::vector<std::size_t>& candidates,
                                      std::size_t count) const;

 private:
  Eigen::MatrixXd likeness(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b,
                           const TimeModelRules& rules) const;
  /// How surprising the log times are: smaller is better.
  double surprise(const std::vector<std::size_t>& points, const Eigen::VectorXd& centred,
                  TimeModelRules& rules) const;

  const SearchSpace& space_;
  TimeModelRules rules_;
  std::vector<std::size_t> points_;
  Eigen::VectorXd centred_;  ///< log times less their mean
  double mean_ = 0;
  Eigen::MatrixXd factor_;   ///< Cholesky's, of the likeness of the points with their noise
  Eigen::VectorXd weights_;  ///< of the points in a prediction
};

}  // namespace fusetune
