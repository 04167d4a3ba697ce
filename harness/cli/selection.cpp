#include "harness/cli/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "harness/base/error.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

namespace {

SpaceChoice space_of(const SelectionOptions& selection) {
  return parse_space(selection.space.empty() ? "pairwise" : selection.space);
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

std::int64_t parse_number(const std::string& text, const std::string& what) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw UserError(fmt::format("{} must be a whole number, not '{}'", what, text));
  return value;
}

/// Values of static symbols; several of one symbol are several geometries.
using SymbolValues = std::map<std::string, std::vector<std::int64_t>>;

/// Every combination of the values.
std::vector<Bindings> combinations(const SymbolValues& symbols) {
  std::vector<Bindings> all{Bindings{}};
  for (const auto& [name, values] : symbols) {
    std::vector<Bindings> longer;
    for (const Bindings& bindings : all)
      for (const std::int64_t value : values) {
        longer.push_back(bindings);
        longer.back()[name] = value;
      }
    all = std::move(longer);
  }
  return all;
}

/// "name=value[,value...]": an option, a dtype or a static symbol of the family.
void apply_option(const Family& family, const std::string& text, SweepEntry& entry,
                  SymbolValues& symbols) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    throw UserError(fmt::format("--option takes name=value, not '{}'", text));
  const std::string name = text.substr(0, equals);
  for (const std::string& value : split_list(text.substr(equals + 1))) {
    if (const OptionDecl* option = family.find_option(name)) {
      if (std::find(option->values.begin(), option->values.end(), value) == option->values.end())
        throw UserError(unknown_name("value of option " + name, value, option->values));
      entry.options[name].push_back(value);
    } else if (family.find_dtype(name) != nullptr) {
      const std::optional<DType> dtype = dtype_from_string(value);
      if (!dtype) throw UserError(fmt::format("unknown dtype '{}' for {}", value, name));
      entry.dtypes[name].push_back(*dtype);
    } else if (const SymbolDecl* symbol = family.find_symbol(name)) {
      if (symbol->is_static)
        symbols[name].push_back(parse_number(value, name));
      else
        throw UserError(fmt::format("{} is a runtime symbol: give it in the case's key", name));
    } else {
      std::vector<std::string> names = family.static_symbols();
      for (const OptionDecl& known : family.options) names.push_back(known.name);
      for (const DTypeDecl& known : family.dtypes) names.push_back(known.name);
      throw UserError(unknown_name("option of " + family.name, name, names));
    }
  }
}

/// "qwen3.5-27b" with "--tp 8" is the selector "qwen3.5-27b@tp8".
std::vector<std::string> model_selectors(const SelectionOptions& selection) {
  std::vector<std::string> selectors;
  for (const std::string& model : selection.models)
    for (const std::string& tp :
         selection.tp.empty() ? std::vector<std::string>{"all"} : selection.tp) {
      if (tp == "all")
        selectors.push_back(model);
      else
        selectors.push_back(fmt::format("{}@tp{}", model, parse_number(tp, "--tp")));
    }
  return selectors;
}

/// Why a geometry cannot have a variant, with the rule and its reason; "" when it can.
std::string refusal_of(const Geometry& geometry, const Variant& variant, const Target& target) {
  const ImplementationDecl& implementation =
      *geometry.family->find_implementation(variant.implementation);
  if (implementation.when && !implementation.when->eval_bool(scope_of(geometry)))
    return fmt::format("{} needs {}", implementation.name, implementation.when->text());
  SweepEntry entry;
  entry.family = geometry.family;
  for (const auto& [name, value] : variant.axes) entry.axes[name] = {value};
  try {
    enumerate_variants(geometry, implementation, target, entry, SpaceChoice{}, nullptr);
  } catch (const UserError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

std::vector<std::string> devices_or_both(const std::vector<std::string>& devices) {
  if (devices.empty()) return {"host-w64", "host-w32"};
  for (const std::string& device : devices) target_for(device);
  return devices;
}

void set_space(Sweep& sweep, const std::string& space) {
  if (space.empty()) return;
  sweep.space = parse_space(space);
  for (SweepEntry& entry : sweep.entries) entry.space.reset();
}

void require_no_shapes(const SelectionOptions& selection, const std::string& what) {
  const bool any = !selection.models.empty() || !selection.tp.empty() ||
                   !selection.options.empty() || !selection.tokens.empty();
  if (any)
    throw UserError(fmt::format(
        "{} says its shapes itself: --model, --tp, --option and --tokens are for a family", what));
}

Sweep sweep_of_selection(const std::string& family, const SelectionOptions& selection,
                         const std::string& device) {
  SweepEntry entry;
  entry.family = find_family(family);
  SymbolValues symbols;
  for (const std::string& option : selection.options)
    apply_option(*entry.family, option, entry, symbols);
  entry.models = model_selectors(selection);
  if (entry.models.empty()) {
    if (symbols.empty())
      throw UserError(
          "say which shapes: --model NAME [--tp N], or --option with the symbols (nk=4 ...)");
    entry.symbols = combinations(symbols);
  } else if (!symbols.empty()) {
    throw UserError("--model and symbols in --option exclude each other");
  }
  for (const std::int64_t tokens : selection.tokens) entry.tokens.emplace_back(tokens, 1.0);
  if (entry.tokens.empty()) entry.tokens.emplace_back(64, 1.0);
  Sweep sweep;
  sweep.name = family;
  sweep.device = device;
  sweep.space = space_of(selection);
  sweep.entries.push_back(std::move(entry));
  return sweep;
}

Plan plan_of_case(const Case& which, const SelectionOptions& selection, const std::string& device) {
  Plan plan = plan_of_cases({which}, space_of(selection), device);
  if (!selection.variant.empty()) keep_variant(plan, selection.variant);
  return plan;
}

void keep_variant(Plan& plan, const std::string& variant_key) {
  std::vector<PlannedGeometry> kept;
  std::vector<std::string> refusals;
  for (PlannedGeometry& planned : plan.geometries) {
    const Variant variant = parse_variant_key(*planned.geometry.family, variant_key);
    const std::string refusal = refusal_of(planned.geometry, variant, plan.target);
    if (!refusal.empty()) {
      refusals.push_back(fmt::format("{}: {}", planned.geometry.key(), refusal));
      continue;
    }
    planned.variants = {variant};
    planned.pruned.clear();
    kept.push_back(std::move(planned));
  }
  if (kept.empty() && !refusals.empty())
    throw UserError(fmt::format("variant '{}' is not possible: {}", variant_key, refusals.front()));
  plan.geometries = std::move(kept);
  plan.skipped.insert(plan.skipped.begin(), refusals.begin(), refusals.end());
}

}  // namespace fusetune
