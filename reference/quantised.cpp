#include "reference/quantised.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace fusetune::reference {

namespace {

/// 2^ceil(log2(scale)), no less than the smallest normal number of fp32.
double power_above(double scale) {
  if (!std::isfinite(scale)) return scale;
  int exponent = 0;
  const bool power = std::frexp(scale, &exponent) == 0.5;
  return scale > 0x1p-126 ? std::ldexp(1.0, power ? exponent - 1 : exponent) : 0x1p-126;
}

/// What the scale of a group is, from its largest magnitude: never 0.
double scale_of(const Quantisation& how, double amax, double code_max) {
  const auto rounded = [&how](double scale) { return how.ue8m0 ? power_above(scale) : scale; };
  if (how.floor == "amax_1e_10")
    return rounded(std::max(amax, static_cast<double>(1e-10f)) / code_max);
  if (how.floor == "scale_1e_10")
    return amax <= 1e-10f ? static_cast<double>(1e-10f) : rounded(amax / code_max);
  if (how.floor == "amax_512th") return std::max(rounded(amax / code_max), 1.0 / 512 / code_max);
  if (how.floor == "one") return amax == 0 ? 1 : rounded(amax / code_max);
  throw std::invalid_argument("unknown scale_floor '" + how.floor + "'");
}

/// How far the scale may lie from where it is, as a share of it in units of the error: the largest
/// magnitude may be one that lies at a tie, or the scale itself may.
double doubt_of(const Quantisation& how, const Matrix& value, const Matrix& steps,
                double code_max) {
  const double amax = largest_magnitude(value);
  if (!std::isfinite(amax) || amax == 0) return 0;
  const auto [low, high] = largest_within(value, how.error * steps);
  double doubt = std::max(high - amax, amax - low) / amax / how.error;
  if (how.ue8m0) {
    const double scale = scale_of(how, amax, code_max);
    const double above = scale_of(how, high * (1 + how.error), code_max);
    const double below = scale_of(how, low * (1 - how.error), code_max);
    doubt = above == below ? 0 : std::max(above / below - 1, above / scale - 1) / how.error;
  }
  return std::isfinite(doubt) ? doubt : 0;
}

}  // namespace

void quantise(const Problem& p, const Quantisation& how, const Terms& rows) {
  const double code_max = largest(p.tensor("q").dtype);
  Matrix value = rows.value, magnitude = rows.magnitude;
  Matrix scales(value.rows(), value.cols() / how.group), doubts(scales.rows(), scales.cols());
  for (std::int64_t row = 0; row < scales.rows(); ++row)
    for (std::int64_t g = 0; g < scales.cols(); ++g) {
      auto values = value.block(row, g * how.group, 1, how.group);
      auto magnitudes = magnitude.block(row, g * how.group, 1, how.group);
      const double doubt =
          doubt_of(how, values, rows.steps.block(row, g * how.group, 1, how.group), code_max);
      const double scale = scale_of(how, largest_magnitude(values), code_max);
      scales(row, g) = scale;
      doubts(row, g) = scale * (1 + doubt);
      magnitudes = (magnitudes + values.abs() * doubt) / scale;
      values /= scale;
    }
  write(p.tensor("q"), value);
  state(p.truth("q"), value, magnitude);
  if (how.transposed) {
    scales = Matrix(scales.transpose());
    doubts = Matrix(doubts.transpose());
  }
  write(p.tensor("scale"), scales);
  state(p.truth("scale"), scales, doubts);
}

}  // namespace fusetune::reference
