#pragma once
// Rungs of the ladder that judge one element at a time: class, ulp, bound, code.

#include <cstdint>
#include <limits>
#include <string>

#include "harness/verify/ladder.hpp"

namespace fusetune {

/// One element with everything that it is judged by.
struct Element {
  std::uint64_t actual_bits = 0, expected_bits = 0;
  double actual = 0;
  double expected = 0;   ///< as the reference rounded it
  double truth = 0;      ///< before rounding
  double magnitude = 0;  ///< S
  double rounded = 0;    ///< the truth as the type holds it, where the truth is finite
  /// Numbers of the type from `rounded` to `actual`, where both are finite.
  std::int64_t steps = 0;
  bool exact_scale = true;  ///< of codes: dividing by the scale rounds nothing
};

struct ElementVerdict {
  bool wrong = true;
  double share_of_limit = std::numeric_limits<double>::infinity();
};

/// metric / limit for a report, 0 for no error at all; a NaN is as bad as it gets.
double share_of(double metric, double limit);

/// The code interval widened by what a right kernel may be off before it rounds.
struct CodeTolerance {
  double error = 0;     ///< in units of the code
  double division = 0;  ///< the part of it that comes from dividing by a rounded scale
};

class ElementRules {
 public:
  ElementRules(const Limits& limits, DType dtype);

  ElementVerdict judge(const Element& element) const;
  /// "is 1.5 (0x3fc0), the truth is 1.25: 64 ulp, limit 1".
  std::string text(const Element& element) const;

  CodeTolerance code_tolerance(const Element& element) const;

 private:
  /// What a rule measured and allows.
  struct Measure {
    double metric = std::numeric_limits<double>::infinity();
    double limit = 0;
    bool holds() const { return metric <= limit; }
    double share() const { return share_of(metric, limit); }
  };
  Measure ulp(const Element& element) const;
  Measure bound(const Element& element) const;
  Measure code(const Element& element) const;
  /// A tie that no rounding came before went the wrong way.
  bool wrong_tie(const Element& element) const;
  std::string reason(const Element& element) const;

  const Limits& limits_;
  DType dtype_;
  double roundoff_;
  double smallest_;
};

/// Finite, +infinity, -infinity and NaN are classes of their own.
bool same_class(double a, double b);

}  // namespace fusetune
