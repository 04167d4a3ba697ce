#pragma once
// Results with what they may be off by: the magnitudes of the terms that they are sums of, and what
// roundings on the way may cost.

#include <cstdint>
#include <string>

#include "reference/numbers.hpp"

namespace fusetune::reference {

/// A result and the magnitudes of the terms it is made of. `steps`: the part of the magnitudes that
/// lies beyond the value, for roundings on the way and for what a sum cancels.
struct Terms {
  Matrix value;
  Matrix magnitude;
  Matrix steps;

  /// Puts a block of columns, all rows of it.
  void set(std::int64_t column, const Terms& block);
};

/// Sums of terms of these magnitudes: all that a sum cancels counts as a step.
Terms sums(const Matrix& value, const Matrix& magnitude);

/// What a sum of `terms` numbers in fp32 may be off by, relative to their magnitudes. The
/// tolerances of family.yaml are the same.
double fp32_error(std::int64_t terms);

/// What rounding may come to on the other side of a tie: a value that is off by `error` of its
/// magnitude before it is off by a whole step after it. In units of that error, so that it adds to
/// the magnitudes.
Matrix steps_at_ties(double error, const std::string& dtype, const Matrix& values,
                     const Matrix& magnitudes);

/// The terms as the type holds them.
Terms rounded_terms(double error, const std::string& dtype, const Terms& terms);

/// NaNs do not count: their codes say what they are.
double largest_magnitude(const Matrix& values);

/// Between what the largest magnitude may lie, as any of the values may be off by `slack`.
struct Span {
  double low, high;
};
Span largest_within(const Matrix& values, const Matrix& slack);

}  // namespace fusetune::reference
