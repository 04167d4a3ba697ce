#pragma once
// Pure functions over samples. Every one says what it returns for empty input.

#include <cstddef>
#include <span>
#include <vector>

namespace fusetune {

/// NaN for empty input.
double median(std::span<const double> values);
/// Linear interpolation between order statistics, q in [0, 1]; NaN for empty input.
double quantile(std::span<const double> values, double q);
/// Median absolute deviation x 1.4826, comparable to a standard deviation; NaN for empty input.
double mad_sigma(std::span<const double> values);

struct Interval {
  double low, mid, high;
};

/// Mean with its two-sided Student t interval (df = n - 1). With fewer than two values the interval
/// is infinite; with none its middle is NaN.
Interval t_interval(std::span<const double> values, double confidence = 0.95);

/// Slope of the line through (x, y): the median over all pairs of points with different x. NaN
/// without such a pair, or when the lengths differ.
double theil_sen_slope(std::span<const double> x, std::span<const double> y);

/// Quantile of Student's t with `df` degrees of freedom; NaN for df = 0 or p outside [0, 1].
double student_t_quantile(double p, std::size_t df);
/// P(T <= t); NaN for df = 0 or a t that is no number.
double student_t_cdf(double t, std::size_t df);

}  // namespace fusetune
