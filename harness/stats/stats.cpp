#include "harness/stats/stats.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fusetune {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool has_nan(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

}  // namespace

double quantile(std::span<const double> values, double q) {
  // A NaN has no order: sorting it would give an answer that depends on where it stood.
  if (values.empty() || !(q >= 0 && q <= 1) || has_nan(values)) return kNaN;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = position - static_cast<double>(below);
  if (part == 0) return sorted[below];
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double mad_sigma(std::span<const double> values) {
  const double middle = median(values);
  std::vector<double> deviations;
  deviations.reserve(values.size());
  for (const double value : values) deviations.push_back(std::abs(value - middle));
  return 1.4826 * median(deviations);
}

Interval t_interval(std::span<const double> values, double confidence) {
  if (values.empty()) return {-kInfinity, kNaN, kInfinity};
  const auto n = static_cast<double>(values.size());
  double mean = 0;
  for (const double value : values) mean += value / n;
  if (values.size() < 2) return {-kInfinity, mean, kInfinity};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  const double half =
      student_t_quantile(0.5 + 0.5 * confidence, values.size() - 1) * standard_error;
  return {mean - half, mean, mean + half};
}

double theil_sen_slope(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) return kNaN;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = i + 1; j < x.size(); ++j) {
      if (x[j] != x[i]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    }
  }
  return median(slopes);
}

}  // namespace fusetune
