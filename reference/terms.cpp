#include "reference/terms.hpp"

#include <cmath>

namespace fusetune::reference {

void Terms::set(std::int64_t column, const Terms& block) {
  value.middleCols(column, block.value.cols()) = block.value;
  magnitude.middleCols(column, block.value.cols()) = block.magnitude;
  steps.middleCols(column, block.value.cols()) = block.steps;
}

Terms sums(const Matrix& value, const Matrix& magnitude) {
  const Matrix beyond = magnitude - value.abs();
  return {value, magnitude, (beyond > 0).select(beyond, 0.0)};
}

double fp32_error(std::int64_t terms) {
  return 4 * std::sqrt(static_cast<double>(terms)) * 0x1p-24;
}

Matrix steps_at_ties(double error, const std::string& dtype, const Matrix& values,
                     const Matrix& magnitudes) {
  const Matrix above = rounded(dtype, Matrix(values + error * magnitudes));
  const Matrix below = rounded(dtype, Matrix(values - error * magnitudes));
  const Matrix steps = (above - below) / error;
  return (steps > 0).select(steps, 0.0);  // infinities have no step
}

Terms rounded_terms(double error, const std::string& dtype, const Terms& terms) {
  const Matrix steps = steps_at_ties(error, dtype, terms.value, terms.value.abs() + terms.steps);
  return {rounded(dtype, terms.value), terms.magnitude + steps, terms.steps + steps};
}

double largest_magnitude(const Matrix& values) {
  return values.isNaN().select(0.0, values.abs()).maxCoeff();
}

Span largest_within(const Matrix& values, const Matrix& slack) {
  return {largest_magnitude((values.abs() - slack).max(0.0)),
          largest_magnitude(values.abs() + slack)};
}

}  // namespace fusetune::reference
