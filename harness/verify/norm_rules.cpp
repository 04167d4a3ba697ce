#include "harness/verify/norm_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/verify/codec.hpp"

namespace fusetune {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An error that no share of the value covers: of every element at most one smallest step.
double absolute_floor(DType dtype) {
  return is_integer(dtype) ? 0.5 : float_format(dtype).denormal_min;
}

double root(std::int64_t n) { return std::sqrt(static_cast<double>(n)); }

}  // namespace

void NormSums::add(const NormSums& others) {
  elements_ += others.elements_;
  error_ += others.error_;
  truth_ += others.truth_;
  rounded_ += others.rounded_;
  rounded_quartic_ += others.rounded_quartic_;
  actual_ += others.actual_;
  dot_ += others.dot_;
  magnitude_ += others.magnitude_;
}

double NormSums::error() const { return std::sqrt(error_); }
double NormSums::truth() const { return std::sqrt(truth_); }
double NormSums::magnitude() const { return std::sqrt(magnitude_); }
double NormSums::actual() const { return std::sqrt(actual_); }

double NormSums::relative_l2() const {
  return error_ == 0 ? 0 : truth_ == 0 ? kInfinity : error() / truth();
}

double NormSums::cosine() const {
  if (actual_ == 0 && rounded_ == 0) return 1;
  return actual_ == 0 || rounded_ == 0 ? 0 : dot_ / (actual() * std::sqrt(rounded_));
}

double NormSums::norm_ratio() const {
  return actual_ == rounded_ ? 1 : rounded_ == 0 ? kInfinity : std::sqrt(actual_ / rounded_);
}

double NormSums::effective_elements() const {
  return rounded_quartic_ == 0 ? 1 : std::max(1.0, rounded_ * (rounded_ / rounded_quartic_));
}

std::string judge_block(const Limits& limits, DType dtype, const NormSums& block, double* share) {
  const double limit = limits.norm_limit * block.truth() +
                       limits.accumulated_roundoff * block.magnitude() +
                       absolute_floor(dtype) * root(block.elements());
  const bool holds = std::isfinite(limit) && block.error() <= limit;
  *share = std::isfinite(limit) ? share_of(block.error(), limit) : kInfinity;
  if (holds) return "";
  return fmt::format("relative L2 {:.3g}, limit {:.3g}", block.relative_l2(),
                     limit / block.truth());
}

std::string judge_cosine(const Limits& limits, DType dtype, const NormSums& whole, double* share) {
  const double roundoff = is_integer(dtype) ? 0 : float_format(dtype).unit_roundoff();
  // Errors of one spacing, of either sign, in as many elements as count.
  const double ratio_limit =
      limits.norm_ratio + 2 * roundoff / std::sqrt(whole.effective_elements());
  const double cosine_error = 1 - whole.cosine();
  const double ratio_error = std::fabs(whole.norm_ratio() - 1);
  // Rounding of the sums alone: a perfect match is not exactly 1.
  const double cosine_limit = 1 - limits.cosine_min + 1e-14;
  *share = std::max(share_of(cosine_error, cosine_limit), share_of(ratio_error, ratio_limit));
  std::string text;
  if (!(cosine_error <= cosine_limit))
    text = fmt::format("cosine {:.7g}, at least {:g}", whole.cosine(), limits.cosine_min);
  if (!(ratio_error <= ratio_limit))
    text += fmt::format("{}norm ratio {:.7g}, limit 1 +- {:.3g}", text.empty() ? "" : "; ",
                        whole.norm_ratio(), ratio_limit);
  return text;
}

void RoundingLean::add(const Element& element) {
  if (element.truth == element.rounded || element.truth == previous_) return;
  // Equal neighbours are rounded alike: they count once.
  previous_ = element.truth;
  ++inexact_;
  if (element.steps == 0) return;
  ++(element.steps < 0 ? down_ : up_);
  ++((element.steps < 0) == (element.truth > 0) ? toward_zero_ : away_);
}

std::string RoundingLean::judge(double* share) const {
  constexpr std::int64_t kFewest = 64;
  *share = 0;
  if (inexact_ < kFewest) return "";
  // Truncation leaves half of all elements too small. What is off without a lean spreads as a
  // random walk.
  const double limit = 0.125 + 2 / root(inexact_);
  const auto count = static_cast<double>(inexact_);
  const double by_magnitude = static_cast<double>(toward_zero_ - away_) / count;
  const double by_sign = static_cast<double>(down_ - up_) / count;
  *share = std::max(std::fabs(by_magnitude), std::fabs(by_sign)) / limit;
  if (*share <= 1) return "";
  const bool magnitude = std::fabs(by_magnitude) >= std::fabs(by_sign);
  return fmt::format(
      "rounding leans {}: of {} elements that need rounding {} are too small and {} "
      "too large{}",
      magnitude ? (by_magnitude > 0 ? "towards zero" : "away from zero")
                : (by_sign > 0 ? "down" : "up"),
      inexact_, magnitude ? toward_zero_ : down_, magnitude ? away_ : up_,
      magnitude ? " in magnitude" : "");
}

void CodeShare::add(const Element& element, DType dtype, const CodeTolerance& tolerance) {
  if (!std::isfinite(element.truth) || !std::isfinite(element.expected)) return;
  if (element.actual != element.expected) ++off_;
  const RoundingInterval own = rounding_interval(dtype, element.expected_bits);
  const double to_end = std::min(element.truth - own.low, own.high - element.truth);
  if (!element.exact_scale && to_end <= tolerance.division) {
    ++ties_;
    return;
  }
  // A truth that has no reason to be at one place of its interval rather than another lies within
  // the error of an end with the probability 2 * error / width.
  const double width = own.high - own.low;
  if (std::isfinite(width)) expected_ += std::min(1.0, 2 * tolerance.error / width);
}

std::string CodeShare::judge(double* share) const {
  constexpr double kFew = 4;
  const double limit = expected_ + static_cast<double>(ties_) + kFew * (1 + std::sqrt(expected_));
  *share = share_of(static_cast<double>(off_), limit);
  if (*share <= 1) return "";
  return fmt::format(
      "{} codes are not the reference's own, at most {:.0f} can lie so near to a tie", off_,
      std::floor(limit));
}

}  // namespace fusetune
