#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/spec/geometry_parts.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kSmallPrime = 37;

bool is_prime(std::int64_t number) {
  for (std::int64_t divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0) return false;
  return number > 1;
}

std::int64_t tile_rows(const Geometry& geometry, const Variant& variant, const Target& target) {
  const ImplementationDecl* implementation =
      geometry.family->find_implementation(variant.implementation);
  if (implementation == nullptr || !implementation->tile_rows) return 1;
  const std::int64_t tile =
      implementation->tile_rows->eval_int(scope_of(geometry, &target, &variant));
  // Three tiles must not wrap; a tile of a million rows is a mistake in any case.
  if (tile < 1 || tile > 1000000)
    throw EvalError(fmt::format("{}: tile_rows is {}", variant.implementation, tile));
  return tile;
}

/// The row strides at another row count: the padding stays, and so does the alignment class.
void fit_strides(const Case& from, Case& to) {
  const Scope before = case_scope(from.geometry, from.runtime);
  const Scope after = case_scope(to.geometry, to.runtime);
  for (const TensorDecl* tensor : tensors_of(from.geometry)) {
    if (!tensor->runtime_row_stride) continue;
    const TensorShape old_shape = shape_in(from, *tensor, before);
    Case dense = to;
    dense.row_strides.erase(tensor->name);
    const TensorShape shape = shape_in(dense, *tensor, after);
    if (shape.row_elements == old_shape.row_elements) continue;
    const std::int64_t unit = std::max<std::int64_t>(
        1, to.geometry.align_bytes.at(tensor->name) / size_bytes(shape.dtype));
    const std::int64_t least =
        checked_add(shape.row_elements, old_shape.row_stride - old_shape.row_elements,
                    "row stride of " + tensor->name);
    to.row_strides[tensor->name] = (least + unit - 1) / unit * unit;
  }
}

/// The values of one runtime symbol at a row count; `known` are the symbols before it.
std::vector<std::int64_t> values_at(const SymbolDecl& symbol, const Case& which,
                                    const Bindings& known, std::int64_t rows) {
  const Scope full = case_scope(which.geometry, known);
  std::vector<std::int64_t> values;
  const auto add = [&](std::int64_t value) {
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  };
  for (const Expr& expr : symbol.prove) add(expr.eval_int(full.values));
  const std::int64_t own = std::get<std::int64_t>(which.runtime.at(symbol.name));
  if (rows == which.rows() || (values.empty() && !symbol.default_value)) add(own);
  if (values.empty()) add(symbol.default_value->eval_int(full.values));
  return values;
}

bool is_supported(const Case& which) {
  const Scope scope = scope_parts(which.geometry, nullptr, nullptr, &which, nullptr);
  const auto& rules = which.geometry.family->supports;
  return std::all_of(rules.begin(), rules.end(),
                     [&](const RuleDecl& rule) { return check_rule(rule, scope).holds; });
}

}  // namespace

std::vector<std::int64_t> adversarial_rows(const Geometry& geometry, const Variant& variant,
                                           const Target& target) {
  const std::int64_t tile = tile_rows(geometry, variant, target);
  const std::int64_t most = 3 * tile + 5;
  std::int64_t prime = std::max(kSmallPrime, most + 1);
  while (!is_prime(prime)) ++prime;
  const std::set<std::int64_t> rows = {0, 1, tile - 1, tile, tile + 1, most, prime};
  return {rows.begin(), rows.end()};
}

std::vector<Case> cases_at_rows(const Case& which, std::int64_t rows) {
  const Family& family = *which.geometry.family;
  Case base = which;
  base.runtime[family.rows] = rows;
  std::vector<Case> cases = {base};
  std::vector<std::string> settled = {family.rows};
  for (const SymbolDecl& symbol : family.symbols) {
    if (symbol.name == family.rows || which.runtime.count(symbol.name) == 0) continue;
    std::vector<Case> extended;
    for (const Case& one : cases) {
      Bindings known;
      for (const std::string& name : settled) known[name] = one.runtime.at(name);
      for (const std::int64_t value : values_at(symbol, which, known, rows)) {
        extended.push_back(one);
        extended.back().runtime[symbol.name] = value;
      }
    }
    cases = std::move(extended);
    settled.push_back(symbol.name);
  }
  for (Case& one : cases) fit_strides(which, one);
  std::erase_if(cases, [](const Case& one) { return !is_supported(one); });
  if (cases.empty())
    throw UserError(fmt::format("{}: no combination of runtime symbols is supported at {}={}",
                                family.name, family.rows, rows));
  return cases;
}

}  // namespace fusetune
