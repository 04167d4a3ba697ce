#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

enum class Bound { all, some, failed };

/// Whether the names of an expression have values; the first failed one goes to `failed`.
Bound bound_in(const Expr& expr, const Scope& scope, std::string* failed) {
  bool missing = false;
  for (const std::string& name : expr.names()) {
    if (scope.values.count(name) != 0) continue;
    const auto why = scope.failed.find(name);
    if (why == scope.failed.end()) {
      missing = true;
    } else if (failed->empty()) {
      *failed = why->second;
    }
  }
  if (!failed->empty()) return Bound::failed;
  return missing ? Bound::some : Bound::all;
}

}  // namespace

void add_derived(const Family& family, Scope& scope) {
  for (const auto& [name, expr] : family.derived) {
    if (scope.values.count(name) != 0 || scope.failed.count(name) != 0) continue;
    std::string why;
    const Bound bound = bound_in(expr, scope, &why);
    if (bound == Bound::some) continue;
    if (bound == Bound::failed) {
      scope.failed[name] = why;
      continue;
    }
    try {
      scope.values[name] = expr.eval(scope.values);
    } catch (const EvalError& error) {
      scope.failed[name] = fmt::format("{} = {}: {}", name, expr.text(), error.what());
    }
  }
}

RuleResult check_rule(const RuleDecl& rule, const Scope& scope) {
  RuleResult result;
  std::string why;
  const Bound bound = bound_in(rule.rule, scope, &why);
  if (bound == Bound::some) {
    result.applies = false;
    return result;
  }
  if (bound == Bound::all) {
    try {
      result.holds = rule.rule.eval_bool(scope.values);
    } catch (const EvalError& error) {
      why = error.what();
    }
  }
  if (result.holds && why.empty()) return result;
  result.holds = false;
  const std::string text = rule.rule.text();
  result.why = rule.reason == text ? text : fmt::format("{} ({})", rule.reason, text);
  if (!why.empty()) result.why += ": " + why;
  return result;
}

namespace {

/// Without the derived symbols.
Scope geometry_scope(const Geometry& geometry) {
  const Family& family = *geometry.family;
  Scope scope;
  scope.values = geometry.statics;
  for (const auto& [name, dtype] : geometry.dtypes)
    scope.values["bytes(" + name + ")"] = size_bytes(dtype);
  for (const TensorDecl& tensor : family.tensors) {
    const auto align = geometry.align_bytes.find(tensor.name);
    const bool there = align != geometry.align_bytes.end();
    scope.values["has(" + tensor.name + ")"] = there;
    // An absent tensor restricts nothing.
    scope.values["align_bytes(" + tensor.name + ")"] = there ? align->second : std::int64_t{16};
  }
  return scope;
}

}  // namespace

Scope case_scope(const Geometry& geometry, const Bindings& runtime) {
  Scope scope = geometry_scope(geometry);
  for (const auto& [name, value] : runtime) scope.values[name] = value;
  add_derived(*geometry.family, scope);
  return scope;
}

Scope scope_parts(const Geometry& geometry, const Target* target, const Variant* variant,
                  const Case* which, const DeviceFacts* device) {
  Scope scope = which != nullptr ? case_scope(geometry, which->runtime) : geometry_scope(geometry);
  if (target != nullptr) scope.values["WAVE_SIZE"] = std::int64_t{target->wave_size};
  if (variant != nullptr)
    for (const auto& [name, value] : variant->axes) scope.values[name] = value;
  if (which != nullptr)
    for (const TensorDecl* tensor : tensors_of(geometry))
      scope.values["row_stride(" + tensor->name + ")"] =
          shape_in(*which, *tensor, scope).row_stride;
  if (device != nullptr) {
    scope.values["CU_COUNT"] = device->cu_count;
    scope.values["LDS_BYTES_MAX"] = device->lds_bytes_max;
    scope.values["BLOCK_THREADS_MAX"] = device->block_threads_max;
  }
  add_derived(*geometry.family, scope);
  return scope;
}

Bindings scope_of(const Geometry& geometry, const Target* target, const Variant* variant,
                  const Case* which, const DeviceFacts* device) {
  Scope scope = scope_parts(geometry, target, variant, which, device);
  if (scope.failed.empty()) return std::move(scope.values);
  // A failure that a runtime value causes (0 rows, say) matters only to who uses the symbol.
  const Vocabulary names = vocabulary_of(*geometry.family);
  for (const auto& [name, expr] : geometry.family->derived) {
    const auto why = scope.failed.find(name);
    if (why != scope.failed.end() && (names.reach_of(expr) & (reach::runtime | reach::device)) == 0)
      throw EvalError(why->second);
  }
  return std::move(scope.values);
}

std::int64_t checked_multiply(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    throw EvalError(fmt::format("{} overflows: {} * {}", what, a, b));
  return product;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b, std::string_view what) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    throw EvalError(fmt::format("{} overflows: {} + {}", what, a, b));
  return sum;
}

}  // namespace fusetune
