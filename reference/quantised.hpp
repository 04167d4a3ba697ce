#pragma once
// fp8 codes with a scale per group of columns, as the norms give them, and what roundings on the
// way to a result mean for its bounds.

#include <string>

#include "reference/numbers.hpp"

namespace fusetune::reference {

/// A result and the magnitudes of the terms it is made of. `steps`: the part of the magnitudes that
/// stands for roundings on the way.
struct Terms {
  Matrix value;
  Matrix magnitude;
  Matrix steps;
};

/// What rounding may come to on the other side of a tie: a value that is off by `error` of its
/// magnitude before it is off by a whole step after it. In units of that error, so that it adds to
/// the magnitudes.
Matrix steps_at_ties(double error, const std::string& dtype, const Matrix& values,
                     const Matrix& magnitudes);

/// The terms as the type holds them.
Terms rounded_terms(double error, const std::string& dtype, const Terms& terms);

struct Quantisation {
  std::int64_t group = 0;  ///< columns that share a scale
  std::string floor;       ///< as family.yaml names it
  bool ue8m0 = false;      ///< scales are powers of two, but for a floor that comes later
  bool transposed = false;
  double error = 0;  ///< what rows that are computed in fp32 may be off by, of their magnitudes
};

/// Writes and states the codes `q`, in units of their scales, and the scales.
void quantise(const Problem& p, const Quantisation& how, const Terms& rows);

}  // namespace fusetune::reference
