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

ElementRules::ElementRules(const Limits& limits, DType dtype)
    : limits_(limits),
      dtype_(dtype),
      roundoff_(is_integer(dtype) ? 0 : float_format(dtype).unit_roundoff()),
      smallest_(is_integer(dtype) ? 1 : float_format(dtype).denormal_min) {}

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
