#pragma once
// Rungs of the ladder that judge one element at a time: class, ulp, bound, code.

#include <algorithm>
#include <cmath>
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

/// Finite, +infinity, -infinity and NaN are classes of their own.
inline bool same_class(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::isinf(a) || std::isinf(b) ? a == b : true;
}

/// metric / limit for a report, 0 for no error at all; a NaN is as bad as it gets.
inline double share_of(double metric, double limit) {
  if (metric == 0) return 0;
  const double share = metric / limit;  // infinity for a limit of 0
  if (std::isnan(share)) return std::numeric_limits<double>::infinity();
  return share;
}

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

// Millions of elements go through these.

inline ElementRules::Measure ElementRules::ulp(const Element& element) const {
  return {std::fabs(static_cast<double>(element.steps)), limits_.ulp};
}

inline ElementRules::Measure ElementRules::bound(const Element& element) const {
  const double accumulated = limits_.accumulated_roundoff * element.magnitude;
  // What is rounded at the end is off by `accumulated` already. Below the normal numbers a rounding
  // error is no share of the value.
  const double rounding = std::max(roundoff_ * (std::fabs(element.truth) + accumulated), smallest_);
  const double limit = rounding + accumulated;
  if (!std::isfinite(limit)) return {};
  return {std::fabs(element.actual - element.truth), limit};
}

inline ElementVerdict ElementRules::judge(const Element& element) const {
  if (!same_class(element.actual, element.expected)) return {};
  if (!std::isfinite(element.expected)) return {.wrong = false, .share_of_limit = 0};
  if (!std::isfinite(element.truth)) {
    // Only saturation makes a finite number of it.
    const bool right = std::isinf(element.truth) && element.actual == element.expected;
    return right ? ElementVerdict{.wrong = false, .share_of_limit = 0} : ElementVerdict{};
  }
  if (limits_.code && wrong_tie(element)) return {};
  ElementVerdict verdict{.wrong = false, .share_of_limit = 0};
  const auto require = [&](const Measure& measure) {
    verdict.wrong = verdict.wrong || !measure.holds();
    verdict.share_of_limit = std::max(verdict.share_of_limit, measure.share());
  };
  if (limits_.ulp >= 0) require(ulp(element));
  if (limits_.bound) require(bound(element));
  if (limits_.code) require(code(element));
  return verdict;
}

}  // namespace fusetune
