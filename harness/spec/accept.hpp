#pragma once
// How an output is judged: the rungs of the comparison ladder (docs/verification.md) as data. An
// element class (finite, +inf, -inf, NaN) that differs fails under every rule.

#include <optional>
#include <string>

#include "harness/spec/expr.hpp"

namespace fusetune {

/// |error| <= u_out * |truth| + factor * growth(terms) * u_acc * S, with S the sum of the
/// magnitudes of the terms, which the reference gives beside the truth.
struct AcceptBound {
  enum class Growth { sqrt, linear };
  Expr terms;  ///< how many numbers the kernel accumulates; over the geometry
  Growth growth = Growth::sqrt;
  double factor = 4;
};

/// A quantised code: truth / scale lies in the interval that rounds to it, widened by the error
/// bound of truth / scale.
struct AcceptCode {
  std::string scale;  ///< the tensor of scales, "" when the codes stand for themselves
};

struct Accept {
  bool exact = true;        ///< bytes are equal; the other rules are then empty
  std::optional<Expr> ulp;  ///< distance in the output's type from the correctly rounded truth
  std::optional<AcceptBound> bound;
  std::optional<AcceptCode> code;
  /// Relative L2 error of every block, at most `norm_factor` times the rounding floor of the type.
  enum class Norms { none, row, head } norms = Norms::none;  ///< head: the last dimension
  double norm_factor = 4;
  std::optional<double> cosine;  ///< at least; always together with norm_ratio, zero norms fail
  double norm_ratio = 1e-3;      ///< | |x| / |truth| - 1 | at most
};

}  // namespace fusetune
