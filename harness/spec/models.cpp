#include "harness/spec/models.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "harness/base/files.hpp"
#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

/// "@" splits selectors and "," lists of them, so neither is in a name.
void require_model_name(const YamlNode& node) {
  const std::string name = node.as_string();
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
  if (!good || name == "all")
    node.fail(
        fmt::format("'{}' is no name for a model: lower-case letters, digits, '-', '.' and "
                    "'_'; not 'all'",
                    name));
}

Model read_model(const YamlNode& key, const YamlNode& node) {
  node.allow_keys(models_keys().at("model"), "key of a model");
  require_model_name(key);
  Model model;
  model.name = key.as_string();
  model.mark = key.mark();
  model.source = node.at("source").as_string();
  if (const auto verified = node.find("verified")) model.verified = verified->as_bool();
  if (const auto aliases = node.find("aliases")) {
    for (const YamlNode& alias : aliases->items()) {
      require_model_name(alias);
      model.aliases.push_back(alias.as_string());
    }
  }
  for (const YamlNode& item : node.at("tp").items()) {
    const std::int64_t tp = item.as_int();
    if (tp < 1) item.fail("a TP split is 1 or more");
    if (std::find(model.tp.begin(), model.tp.end(), tp) != model.tp.end())
      item.fail("listed twice");
    model.tp.push_back(tp);
  }
  if (model.tp.empty()) node.at("tp").fail("list at least one TP split");
  for (const auto& [name, value] : node.at("attributes").entries()) {
    require_identifier(name, "an attribute");
    if (name.as_string() == "tp") name.fail("'tp' is the split, not an attribute");
    const Value parsed = parse_value(value);
    if (std::holds_alternative<Enum>(parsed)) require_identifier(value, "an attribute's word");
    model.attributes[name.as_string()] = parsed;
  }
  return model;
}

}  // namespace

std::string ModelSplit::name() const { return fmt::format("{}@tp{}", model->name, tp); }

std::optional<std::int64_t> parse_split(std::string_view text) {
  std::int64_t tp = 0;
  if (!text.starts_with("tp") || text.size() < 3 || text[2] < '1' || text[2] > '9') return {};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, tp);
  if (error != std::errc{} || stop != end) return {};
  return tp;
}

Models Models::load(const std::filesystem::path& file) { return read(YamlNode::load(file)); }

Models Models::parse(std::string_view text, const std::string& name) {
  return read(YamlNode::parse(text, name));
}

Models Models::read(const YamlNode& root) {
  root.allow_keys(models_keys().at("file"), "key of the models file");
  Models models;
  std::map<std::string, std::string> taken;  // name or alias -> model
  const auto take = [&](const std::string& name, const std::string& model, const YamlNode& at) {
    const auto [other, added] = taken.emplace(name, model);
    if (!added) at.fail(fmt::format("'{}' already names {}", name, other->second));
  };
  for (const auto& [key, node] : root.at("models").entries()) {
    Model model = read_model(key, node);
    take(model.name, model.name, key);
    for (const std::string& alias : model.aliases) take(alias, model.name, node.at("aliases"));
    models.models_.push_back(std::move(model));
  }
  if (models.models_.empty()) root.at("models").fail("no models");
  return models;
}

Models Models::load_default() { return load(project_root() / "configs" / "models.yaml"); }

const Model& Models::find(std::string_view name, const Mark& mark) const {
  std::vector<std::string> names;
  for (const Model& model : models_) {
    const auto& aliases = model.aliases;
    if (model.name == name || std::find(aliases.begin(), aliases.end(), name) != aliases.end())
      return model;
    names.push_back(model.name);
    names.insert(names.end(), aliases.begin(), aliases.end());
  }
  throw UserError(mark, unknown_name("model", name, names));
}

std::vector<ModelSplit> Models::select(std::string_view selector, const Mark& mark) const {
  std::vector<ModelSplit> splits;
  const auto add_all = [&](const Model& model) {
    for (const std::int64_t tp : model.tp) splits.push_back({&model, tp});
  };
  if (selector == "all") {
    for (const Model& model : models_) add_all(model);
    return splits;
  }
  const std::size_t at = selector.find('@');
  const Model& model = find(selector.substr(0, at), mark);
  if (at == std::string_view::npos) {
    add_all(model);
    return splits;
  }
  const auto split = parse_split(selector.substr(at + 1));
  if (!split)
    throw UserError(mark, fmt::format("'{}' is no TP split; write {}@tp{}", selector, model.name,
                                      model.tp.front()));
  const std::int64_t tp = *split;
  if (std::find(model.tp.begin(), model.tp.end(), tp) == model.tp.end())
    throw UserError(mark, fmt::format("{} has no split tp{} (one of: tp{})", model.name, tp,
                                      fmt::join(model.tp, ", tp")));
  return {{&model, tp}};
}

}  // namespace fusetune
