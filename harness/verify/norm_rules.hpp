#pragma once
// Rungs of the ladder that judge many elements at once: norms per block, cosine and norm ratio of
// the whole. They see what each element may do alone but not all together.

#include <cstdint>
#include <string>

#include "harness/verify/element_rules.hpp"

namespace fusetune {

/// Sums over elements whose truth is finite. A NaN among what a kernel wrote makes every sum, and
/// so every metric, a NaN, which passes nothing.
class NormSums {
 public:
  void add(const Element& element) {
    if (!std::isfinite(element.truth) || !std::isfinite(element.expected)) return;
    ++elements_;
    const double error = element.actual - element.truth;
    const double rounded_square = element.rounded * element.rounded;
    error_ += error * error;
    truth_ += element.truth * element.truth;
    rounded_ += rounded_square;
    rounded_quartic_ += rounded_square * rounded_square;
    actual_ += element.actual * element.actual;
    dot_ += element.actual * element.rounded;
    magnitude_ += element.magnitude * element.magnitude;
  }
  void add(const NormSums& others);

  std::int64_t elements() const { return elements_; }
  double error() const;        ///< L2
  double truth() const;        ///< L2
  double magnitude() const;    ///< L2 of S
  double actual() const;       ///< L2
  double relative_l2() const;  ///< 0 without an error, infinity of a zero truth
  /// With the truth as the type holds it: a perfect kernel has 1 in every type. 0 where one side
  /// alone is zero.
  double cosine() const;
  double norm_ratio() const;  ///< likewise
  /// How many elements carry the norm: 1 where a single one dwarfs the others.
  double effective_elements() const;

 private:
  std::int64_t elements_ = 0;
  double error_ = 0, truth_ = 0, rounded_ = 0, rounded_quartic_ = 0, actual_ = 0, dot_ = 0,
         magnitude_ = 0;
};

/// The tested rules in words where they are broken, "" where they hold. `share` gets the metric
/// over its limit.
std::string judge_block(const Limits& limits, DType dtype, const NormSums& block, double* share);
std::string judge_cosine(const Limits& limits, DType dtype, const NormSums& whole, double* share);

/// Which way the elements lie that are not the correctly rounded truth: rounding to nearest leaves
/// as many too small as too large, truncation only too small ones. A single element cannot tell.
class RoundingLean {
 public:
  void add(const Element& element);
  std::string judge(double* share) const;

 private:
  std::int64_t inexact_ = 0, toward_zero_ = 0, away_ = 0, down_ = 0, up_ = 0;
  double previous_ = 0;
};

/// Codes that are not the reference's own: only truths near the end of an interval may give them,
/// and that share of all codes is known.
class CodeShare {
 public:
  void add(const Element& element, DType dtype, const CodeTolerance& tolerance);
  std::int64_t codes_off() const { return off_; }
  std::string judge(double* share) const;

 private:
  std::int64_t off_ = 0;
  std::int64_t ties_ = 0;  ///< whose side the division decides, with a scale that rounds
  double expected_ = 0;
};

}  // namespace fusetune
