#include <fmt/format.h>

#include <cctype>

#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

/// The names in a `from_model` expression. A family does not know what attributes models have, so
/// whatever looks like a name counts as an integer attribute; a model without it is refused later.
SymbolTable attribute_names(const std::string& text) {
  SymbolTable table;
  for (std::size_t i = 0; i < text.size();) {
    const auto is_name = [&](std::size_t at) {
      return std::isalnum(static_cast<unsigned char>(text[at])) != 0 || text[at] == '_';
    };
    if (!is_name(i)) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && is_name(end)) ++end;
    std::size_t next = end;
    while (next < text.size() && text[next] == ' ') ++next;
    const bool is_call = next < text.size() && text[next] == '(';
    if (!is_call && std::isdigit(static_cast<unsigned char>(text[i])) == 0)
      table[text.substr(i, end - i)] = {};
    i = end;
  }
  return table;
}

}  // namespace

void FamilyReader::read_derived() {
  for (const auto& [key, node] : declared("derived", "a derived symbol")) {
    const Expr expr = names_.parse_any(node, ~0U, "a derived symbol");
    const std::string name = key.as_string();
    names_.add(name, names_.type_of(expr), names_.reach_of(expr));
    family_.derived.emplace_back(name, expr);
  }
}

void FamilyReader::read_symbol(SymbolDecl& symbol, const YamlNode& node) {
  const unsigned allowed = symbol.is_static ? reach::geometry : reach::of_shape | reach::runtime;
  if (const auto when = node.find("when")) {
    if (symbol.is_static) when->fail("a static symbol is always there");
    symbol.when = names_.parse_bool(*when, reach::geometry, "a symbol's condition");
  }
  if (const auto value = node.find("default"))
    symbol.default_value = names_.parse_int(
        *value, allowed, symbol.is_static ? "a static symbol's default" : "a default");
  if (const auto from = node.find("from_model")) {
    if (!symbol.is_static) from->fail("a model gives static symbols only");
    symbol.from_model =
        Expr::parse(from->as_string(), attribute_names(from->as_string()), from->mark());
    if (symbol.from_model->type() != Type::integer) from->fail("from_model gives a number");
  }
  if (const auto prove = node.find("prove")) {
    if (symbol.is_static) prove->fail("only runtime symbols have values to prove");
    for (const YamlNode& item : prove->items())
      symbol.prove.push_back(names_.parse_int(item, allowed, "a value to prove"));
  }
}

void FamilyReader::read_rules() {
  if (const auto rules = root_.find("constraints"))
    for (const YamlNode& node : rules->items())
      family_.constraints.push_back(parse_rule(node, names_, reach::of_variant, "a constraint"));
  if (const auto rules = root_.find("supports"))
    for (const YamlNode& node : rules->items())
      family_.supports.push_back(parse_rule(node, names_, reach::of_case, "a supports rule"));
  if (const auto rule = root_.find("independent_rows"))
    family_.independent_rows = parse_rule(*rule, names_, reach::geometry, "independent_rows");
}

void FamilyReader::read_rows() {
  const YamlNode node = root_.at("rows");
  const SymbolDecl* symbol =
      family_.find_symbol(node.as_one_of(family_.runtime_symbols(), "runtime symbol"));
  if (symbol->when) node.fail("the rows symbol is always there");
  family_.rows = symbol->name;
}

}  // namespace fusetune
