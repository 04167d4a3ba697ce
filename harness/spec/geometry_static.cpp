#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

[[noreturn]] void fail(const Family& family, const Mark& mark, const std::string& message) {
  throw UserError(mark, family.name + ": " + message);
}

std::int64_t require_int(const Family& family, const std::string& name, const Value& value,
                         const Mark& mark) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr)
    fail(family, mark, fmt::format("{} is a number, not '{}'", name, to_string(value)));
  return *number;
}

void take_given(const CaseRequest& request, StaticPart& part) {
  const Family& family = *request.family;
  for (const auto& [name, value] : request.statics) {
    if (const OptionDecl* option = family.find_option(name)) {
      const std::string word = to_string(value);
      const auto& known = option->values;
      if (std::find(known.begin(), known.end(), word) == known.end())
        fail(family, request.mark, unknown_name("value of option " + name, word, known));
      part.geometry.statics[name] = Enum{word};
      continue;
    }
    const SymbolDecl* symbol = family.find_symbol(name);
    if (symbol == nullptr) {
      std::vector<std::string> known = family.static_symbols();
      for (const OptionDecl& option : family.options) known.push_back(option.name);
      fail(family, request.mark, unknown_name("static symbol or option", name, known));
    }
    if (!symbol->is_static)
      fail(family, request.mark, fmt::format("'{}' is a runtime symbol, not a static one", name));
    part.geometry.statics[name] = require_int(family, name, value, request.mark);
  }
}

/// Evaluates the defaults of what is not there; a default may use another one.
void fill_defaults(const std::vector<const SymbolDecl*>& symbols, const Family& family,
                   const Mark& mark, Scope& scope, Bindings& values) {
  for (bool progress = true; progress;) {
    progress = false;
    add_derived(family, scope);
    for (const SymbolDecl* symbol : symbols) {
      if (values.count(symbol->name) != 0 || !symbol->default_value) continue;
      const auto& names = symbol->default_value->names();
      const bool ready = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        return scope.values.count(name) != 0;
      });
      if (!ready) continue;
      try {
        values[symbol->name] = symbol->default_value->eval_int(scope.values);
      } catch (const EvalError& error) {
        fail(family, mark, fmt::format("default of {}: {}", symbol->name, error.what()));
      }
      scope.values[symbol->name] = values[symbol->name];
      progress = true;
    }
  }
  std::vector<std::string> missing;
  for (const SymbolDecl* symbol : symbols)
    if (values.count(symbol->name) == 0) missing.push_back(symbol->name);
  if (missing.size() == 1) fail(family, mark, fmt::format("symbol '{}' needs a value", missing[0]));
  if (!missing.empty())
    fail(family, mark, fmt::format("symbols '{}' need values", fmt::join(missing, "', '")));
}

void take_dtypes(const CaseRequest& request, StaticPart& part) {
  const Family& family = *request.family;
  std::vector<std::string> known;
  for (const DTypeDecl& decl : family.dtypes) known.push_back(decl.name);
  for (const auto& [name, dtype] : request.dtypes)
    if (family.find_dtype(name) == nullptr)
      fail(family, request.mark, unknown_name("dtype", name, known));
  for (const DTypeDecl& decl : family.dtypes) {
    DType dtype = decl.values.front();
    if (const auto given = request.dtypes.find(decl.name); given != request.dtypes.end())
      dtype = given->second;
    else if (!decl.same_as.empty())
      dtype = part.geometry.dtypes.at(decl.same_as);
    if (std::find(decl.values.begin(), decl.values.end(), dtype) == decl.values.end())
      fail(family, request.mark, fmt::format("{} cannot be {}", decl.name, to_string(dtype)));
    part.geometry.dtypes[decl.name] = dtype;
    part.scope.values["bytes(" + decl.name + ")"] = size_bytes(dtype);
  }
}

/// A condition of a declaration, whose evaluation is no reason to continue when it fails.
bool holds(const std::optional<Expr>& when, const Family& family, const Scope& scope,
           const Mark& mark) {
  if (!when) return true;
  try {
    return when->eval_bool(scope.values);
  } catch (const EvalError& error) {
    fail(family, mark, error.what());
  }
}

void require_options_have_meaning(const StaticPart& part, const Mark& mark) {
  const Family& family = *part.geometry.family;
  for (const OptionDecl& option : family.options) {
    const std::string value = to_string(part.geometry.statics.at(option.name));
    if (value != option.values.front() && !holds(option.when, family, part.scope, mark))
      fail(family, mark,
           fmt::format("{}={} has no meaning here: it needs {}", option.name, value,
                       option.when->text()));
  }
}

}  // namespace

bool StaticPart::has(std::string_view tensor) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const TensorDecl* decl) { return decl->name == tensor; });
}

void require_supported(const Family& family, const Scope& scope, const Mark& mark) {
  for (const RuleDecl& rule : family.supports) {
    const RuleResult result = check_rule(rule, scope);
    if (!result.holds) fail(family, mark, "not supported: " + result.why);
  }
}

StaticPart make_static_part(const CaseRequest& request) {
  const Family& family = *request.family;
  StaticPart part;
  part.geometry.family = request.family;
  Bindings& statics = part.geometry.statics;
  take_given(request, part);
  take_dtypes(request, part);
  for (const OptionDecl& option : family.options)
    statics.emplace(option.name, Enum{option.values.front()});
  for (const auto& [name, value] : statics) part.scope.values[name] = value;
  std::vector<const SymbolDecl*> symbols;
  for (const SymbolDecl& symbol : family.symbols)
    if (symbol.is_static) symbols.push_back(&symbol);
  fill_defaults(symbols, family, request.mark, part.scope, statics);
  require_options_have_meaning(part, request.mark);
  add_derived(family, part.scope);
  require_supported(family, part.scope, request.mark);
  if (!part.scope.failed.empty()) fail(family, request.mark, part.scope.failed.begin()->second);
  for (const TensorDecl& tensor : family.tensors) {
    const bool there = holds(tensor.when, family, part.scope, request.mark);
    if (there) part.tensors.push_back(&tensor);
    part.scope.values["has(" + tensor.name + ")"] = there;
  }
  for (const SymbolDecl& symbol : family.symbols)
    if (!symbol.is_static && holds(symbol.when, family, part.scope, request.mark))
      part.runtime.push_back(&symbol);
  add_derived(family, part.scope);
  return part;
}

Bindings complete_runtime(const StaticPart& part, const Bindings& given, const Mark& mark) {
  const Family& family = *part.geometry.family;
  Bindings runtime;
  Scope scope = part.scope;
  for (const auto& [name, value] : given) {
    const SymbolDecl* symbol = family.find_symbol(name);
    if (symbol == nullptr || symbol->is_static)
      fail(family, mark, unknown_name("runtime symbol", name, family.runtime_symbols()));
    if (std::find(part.runtime.begin(), part.runtime.end(), symbol) == part.runtime.end())
      fail(family, mark, fmt::format("'{}' is not there: it needs {}", name, symbol->when->text()));
    runtime[name] = require_int(family, name, value, mark);
    scope.values[name] = runtime[name];
  }
  fill_defaults(part.runtime, family, mark, scope, runtime);
  const std::int64_t rows = std::get<std::int64_t>(runtime.at(family.rows));
  if (rows < 0) fail(family, mark, fmt::format("{}={} is negative", family.rows, rows));
  return runtime;
}

}  // namespace fusetune
