#include "harness/verify/element_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/verify/codec.hpp"

namespace fusetune {

namespace {

// A kernel divides in fp32, by a scale rounded to fp32.
constexpr double kDivisionRoundoff = 2 * 0x1p-24;

}  // namespace

bool same_class(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return std::isinf(a) || std::isinf(b) ? a == b : true;
}

double share_of(double metric, double limit) {
  if (metric == 0) return 0;
  const double share = metric / limit;  // infinity for a limit of 0
  if (std::isnan(share)) return std::numeric_limits<double>::infinity();
  return share;
}

ElementRules::ElementRules(const Limits& limits, DType dtype)
    : limits_(limits),
      dtype_(dtype),
      roundoff_(is_integer(dtype) ? 0 : float_format(dtype).unit_roundoff()),
      smallest_(is_integer(dtype) ? 1 : float_format(dtype).denormal_min) {}

ElementRules::Measure ElementRules::ulp(const Element& element) const {
  return {std::fabs(static_cast<double>(element.steps)), limits_.ulp};
}

ElementRules::Measure ElementRules::bound(const Element& element) const {
  const double accumulated = limits_.accumulated_roundoff * element.magnitude;
  // What is rounded at the end is off by `accumulated` already. Below the normal numbers a rounding
  // error is no share of the value.
  const double rounding = std::max(roundoff_ * (std::fabs(element.truth) + accumulated), smallest_);
  const double limit = rounding + accumulated;
  if (!std::isfinite(limit)) return {};
  return {std::fabs(element.actual - element.truth), limit};
}

CodeTolerance ElementRules::code_tolerance(const Element& element) const {
  const double division = kDivisionRoundoff * std::fabs(element.truth);
  return {limits_.accumulated_roundoff * element.magnitude + division, division};
}

ElementRules::Measure ElementRules::code(const Element& element) const {
  const RoundingInterval interval = rounding_interval(dtype_, element.actual_bits);
  const double tolerance = code_tolerance(element).error;
  if (!std::isfinite(tolerance)) return {};
  const double outside = std::max(interval.low - element.truth, element.truth - interval.high);
  return {std::max(outside, 0.0), tolerance};
}

bool ElementRules::wrong_tie(const Element& element) const {
  if (!element.exact_scale || limits_.accumulated_roundoff != 0) return false;
  if (element.actual == element.expected) return false;
  const RoundingInterval interval = rounding_interval(dtype_, element.actual_bits);
  return element.truth == interval.low || element.truth == interval.high;
}

ElementVerdict ElementRules::judge(const Element& element) const {
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

std::string ElementRules::reason(const Element& element) const {
  if (!same_class(element.actual, element.expected))
    return fmt::format("the reference has {:.7g}", element.expected);
  if (!std::isfinite(element.expected)) return "of the same class";
  if (!std::isfinite(element.truth))
    return fmt::format("the reference saturates it to {:.7g}", element.expected);
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (limits_.ulp >= 0) {
    const Measure measure = ulp(element);
    add(fmt::format("{:g} ulp, limit {:g}", measure.metric, measure.limit));
  }
  if (limits_.bound) {
    const Measure measure = bound(element);
    add(fmt::format("error {:.3g}, limit {:.3g}", std::fabs(element.actual - element.truth),
                    measure.limit));
  }
  if (limits_.code) {
    const RoundingInterval interval = rounding_interval(dtype_, element.actual_bits);
    const Measure measure = code(element);
    add(fmt::format("the code stands for {:.7g} to {:.7g}, which is {:.3g} away, limit {:.3g}",
                    interval.low, interval.high, measure.metric, measure.limit));
    if (wrong_tie(element)) add(fmt::format("a tie goes to even, to {:.7g}", element.expected));
  }
  return text.empty() ? "by no rule of its own" : text;
}

std::string ElementRules::text(const Element& element) const {
  return fmt::format("is {:.7g} (0x{:0{}x}), the truth is {:.7g}: {}", element.actual,
                     element.actual_bits, 2 * size_bytes(dtype_), element.truth, reason(element));
}

}  // namespace fusetune
