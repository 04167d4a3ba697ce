#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/verify/codec.hpp"
#include "harness/verify/ladder.hpp"

namespace fusetune {

namespace {

constexpr double kFp32Roundoff = 0x1p-24;

double roundoff_of(const AcceptBound& bound, const Bindings& scope) {
  const auto terms = static_cast<double>(std::max<std::int64_t>(1, bound.terms.eval_int(scope)));
  const bool linear = bound.growth == AcceptBound::Growth::linear;
  return bound.factor * (linear ? terms : std::sqrt(terms)) * kFp32Roundoff;
}

std::string bound_text(const AcceptBound& bound, const Bindings& scope) {
  const std::int64_t terms = bound.terms.eval_int(scope);
  const bool linear = bound.growth == AcceptBound::Growth::linear;
  const std::string growth = linear ? std::to_string(terms) : fmt::format("sqrt({})", terms);
  return fmt::format("{:g} * {} * 2^-24 * S", bound.factor, growth);
}

void add(std::string& text, const std::string& rule) {
  text += text.empty() ? rule : " and " + rule;
}

void set_element_rules(Limits& limits, const Accept& accept, const Bindings& scope) {
  if (accept.ulp) {
    limits.ulp = static_cast<double>(accept.ulp->eval_int(scope));
    add(limits.text, fmt::format("ulp <= {:g}", limits.ulp));
  }
  limits.code = accept.code.has_value();
  limits.bound = accept.bound && !limits.code;
  if (accept.bound) limits.accumulated_roundoff = roundoff_of(*accept.bound, scope);
  if (limits.code)
    add(limits.text, accept.bound ? "code within its interval + " + bound_text(*accept.bound, scope)
                                  : std::string("code within its interval"));
  if (limits.bound) add(limits.text, "error <= u * |truth| + " + bound_text(*accept.bound, scope));
}

void set_norms(Limits& limits, const Accept& accept, const TensorShape& shape) {
  if (accept.norms == Accept::Norms::none) return;
  const bool row = accept.norms == Accept::Norms::row;
  limits.norm_block = row || shape.dims.size() < 2 ? shape.row_elements : shape.dims.back();
  limits.norm_limit = accept.norm_factor * norm_floor(shape.dtype);
  add(limits.text, fmt::format("norms per {} <= {:.2g}", row ? "row" : "head", limits.norm_limit));
}

}  // namespace

double norm_floor(DType dtype) {
  return is_integer(dtype) ? 0 : float_format(dtype).unit_roundoff() / std::sqrt(3.0);
}

Limits limits_of(const Case& which, const TensorDecl& tensor, double cosine_min) {
  const Accept& accept = tensor.accept;
  Limits limits;
  limits.exact = accept.exact;
  if (limits.exact) {
    limits.text = "exact";
    return limits;
  }
  set_element_rules(limits, accept, scope_of(which.geometry, nullptr, nullptr, &which));
  set_norms(limits, accept, shape_of(which, tensor));
  limits.cosine_min = std::max(accept.cosine.value_or(-1), cosine_min);
  limits.norm_ratio = accept.norm_ratio;
  if (limits.cosine_min > -1)
    add(limits.text, fmt::format("cosine >= {:g} with norm ratio 1 +- {:g}", limits.cosine_min,
                                 limits.norm_ratio));
  return limits;
}

}  // namespace fusetune
