#include "harness/spec/plan_sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fusetune {

namespace {

/// An attribute that no model has is a typing error of the family's.
void require_attribute_known(const std::string& attribute, const std::string& user,
                             const Mark& mark, const Models& models) {
  std::set<std::string> known = {"tp"};
  for (const Model& model : models.all())
    for (const auto& [name, value] : model.attributes) known.insert(name);
  if (known.count(attribute) == 0)
    throw UserError(mark, fmt::format("{}: {}", user,
                                      unknown_name("attribute of models", attribute,
                                                   {known.begin(), known.end()})));
}

/// The value of a symbol for a model; false when an attribute is missing and `missing` says which.
bool symbol_from_model(const SymbolDecl& symbol, const ModelSplit& split, Source& source) {
  Bindings scope = split.model->attributes;
  scope["tp"] = split.tp;
  for (const std::string& name : symbol.from_model->names()) {
    const auto attribute = scope.find(name);
    if (attribute == scope.end()) {
      if (symbol.default_value) return true;
      source.unfit = fmt::format("the model has no {}, which gives {}", name, symbol.name);
      return false;
    }
    if (!std::holds_alternative<std::int64_t>(attribute->second)) {
      source.unfit = fmt::format("{} is '{}', and {} needs a number", name,
                                 to_string(attribute->second), symbol.name);
      return false;
    }
  }
  try {
    source.symbols[symbol.name] = symbol.from_model->eval_int(scope);
  } catch (const EvalError& error) {
    source.unfit = fmt::format("{} = {}: {}", symbol.name, symbol.from_model->text(), error.what());
    return false;
  }
  return true;
}

void option_from_model(const OptionDecl& option, const ModelSplit& split, Source& source) {
  const auto attribute = split.model->attributes.find(option.from_model);
  if (attribute == split.model->attributes.end()) return;
  const std::string value = to_string(attribute->second);
  if (std::find(option.values.begin(), option.values.end(), value) == option.values.end())
    source.unfit = fmt::format("{} is {}, which option {} does not have", option.from_model, value,
                               option.name);
  else
    source.options[option.name] = Enum{value};
}

Source source_of(const SweepEntry& entry, const ModelSplit& split, const Models& models) {
  const Family& family = *entry.family;
  Source source;
  source.name = split.name();
  source.is_model = true;
  source.verified = split.model->verified;
  for (const SymbolDecl& symbol : family.symbols) {
    if (!symbol.from_model) continue;
    for (const std::string& name : symbol.from_model->names())
      require_attribute_known(name, symbol.name, symbol.mark, models);
    if (!symbol_from_model(symbol, split, source)) return source;
  }
  for (const OptionDecl& option : family.options) {
    if (option.from_model.empty() || entry.options.count(option.name) != 0) continue;
    require_attribute_known(option.from_model, option.name, option.mark, models);
    option_from_model(option, split, source);
  }
  return source;
}

}  // namespace

std::vector<Source> sources_of(const SweepEntry& entry, const Models& models) {
  std::vector<Source> sources;
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < entry.models.size(); ++i) {
    const Mark& mark = i < entry.model_marks.size() ? entry.model_marks[i] : entry.mark;
    const bool named = entry.models[i] != "all";
    for (const ModelSplit& split : models.select(entry.models[i], mark)) {
      const auto [place, added] = places.emplace(split.name(), sources.size());
      if (added) {
        sources.push_back(source_of(entry, split, models));
        sources.back().named = false;
      }
      if (!named || sources[place->second].named) continue;
      sources[place->second].named = true;
      sources[place->second].mark = mark;
    }
  }
  for (std::size_t i = 0; i < entry.symbols.size(); ++i) {
    const Bindings& symbols = entry.symbols[i];
    Source source;
    source.name = to_string(symbols);
    source.symbols = symbols;
    source.mark = i < entry.symbol_marks.size() ? entry.symbol_marks[i] : entry.mark;
    sources.push_back(std::move(source));
  }
  if (!sources.empty()) return sources;
  // A family whose static symbols all have defaults is complete without either.
  Source source;
  source.name = "defaults";
  source.mark = entry.mark;
  for (const SymbolDecl& symbol : entry.family->symbols)
    if (symbol.is_static && !symbol.default_value)
      throw UserError(entry.mark, fmt::format("{} needs models or symbols: nothing gives {}",
                                              entry.family->name, symbol.name));
  return {source};
}

}  // namespace fusetune
