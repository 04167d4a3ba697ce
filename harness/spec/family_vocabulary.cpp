#include "harness/spec/family_vocabulary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

std::string reach_word(unsigned bits) {
  if (bits & reach::facts) return "is known after compilation only";
  if (bits & reach::device) return "is a fact of the device";
  if (bits & reach::runtime) return "is known at run time only";
  if (bits & reach::axes) return "depends on an axis";
  if (bits & reach::wave) return "depends on the target";
  if (bits & reach::alignment) return "depends on the alignment class";
  return "depends on which tensors are there";
}

}  // namespace

void Vocabulary::add(const std::string& name, SymbolType type, unsigned reach) {
  symbols_[name] = std::move(type);
  reach_[name] = reach;
}

Expr Vocabulary::parse_any(const YamlNode& node, unsigned allowed, std::string_view what) const {
  const Expr expr = Expr::parse(node.as_string(), symbols_, node.mark());
  for (const std::string& name : expr.names()) {
    const unsigned beyond = reach_.at(name) & ~allowed;
    if (beyond != 0)
      node.fail(fmt::format("'{}' {}; {} cannot use it", name, reach_word(beyond), what));
  }
  return expr;
}

Expr Vocabulary::parse_int(const YamlNode& node, unsigned allowed, std::string_view what) const {
  const Expr expr = parse_any(node, allowed, what);
  if (expr.type() != Type::integer)
    node.fail(fmt::format("{} is a number; '{}' is not", what, node.as_string()));
  return expr;
}

Expr Vocabulary::parse_bool(const YamlNode& node, unsigned allowed, std::string_view what) const {
  const Expr expr = parse_any(node, allowed, what);
  if (expr.type() != Type::boolean)
    node.fail(fmt::format("{} is true or false; '{}' is not", what, node.as_string()));
  return expr;
}

Expr Vocabulary::parse_text(const std::string& text) const { return Expr::parse(text, symbols_); }

unsigned Vocabulary::reach_of(const Expr& expr) const {
  unsigned bits = 0;
  for (const std::string& name : expr.names()) bits |= reach_.at(name);
  return bits;
}

SymbolType Vocabulary::type_of(const Expr& expr) const {
  if (expr.type() != Type::enumeration) return {expr.type(), "", {}};
  // Two expressions of one enumeration can be compared, of different ones cannot.
  for (const std::string& name : expr.names()) {
    const SymbolType& type = symbols_.at(name);
    if (type.type != Type::enumeration) continue;
    try {
      Expr::parse(fmt::format("({}) == {}", expr.text(), name), symbols_);
      return type;
    } catch (const UserError&) {
      continue;
    }
  }
  return {Type::enumeration, "", {}};
}

Vocabulary vocabulary_of(const Family& family) {
  Vocabulary names;
  names.add("WAVE_SIZE", {}, reach::wave);
  for (const char* fact : {"CU_COUNT", "LDS_BYTES_MAX", "BLOCK_THREADS_MAX"})
    names.add(fact, {}, reach::device);
  for (const SymbolDecl& symbol : family.symbols)
    names.add(symbol.name, {}, symbol.is_static ? reach::geometry : reach::runtime);
  for (const OptionDecl& option : family.options)
    names.add(option.name, {Type::enumeration, option.name, option.values}, reach::geometry);
  for (const DTypeDecl& dtype : family.dtypes)
    names.add("bytes(" + dtype.name + ")", {}, reach::geometry);
  for (const TensorDecl& tensor : family.tensors) {
    names.add("has(" + tensor.name + ")", {Type::boolean, "", {}}, reach::presence);
    names.add("align_bytes(" + tensor.name + ")", {}, reach::alignment);
    names.add("row_stride(" + tensor.name + ")", {}, reach::runtime);
  }
  for (const AxisDecl& axis : family.axes) {
    SymbolType type;
    if (std::holds_alternative<Enum>(axis.values.front())) {
      type = {Type::enumeration, axis.name, {}};
      for (const Value& value : axis.values) type.values.push_back(to_string(value));
    }
    names.add(axis.name, std::move(type), reach::axes);
  }
  for (const auto& [name, expr] : family.derived)
    names.add(name, names.type_of(expr), names.reach_of(expr));
  return names;
}

RuleDecl parse_rule(const YamlNode& node, const Vocabulary& vocabulary, unsigned allowed,
                    std::string_view what) {
  RuleDecl rule;
  rule.mark = node.mark();
  if (!node.is_map()) {
    rule.rule = vocabulary.parse_bool(node, allowed, what);
    rule.reason = rule.rule.text();
    return rule;
  }
  node.allow_keys(family_keys().at("rule"), "key of a rule");
  rule.rule = vocabulary.parse_bool(node.at("rule"), allowed, what);
  const auto reason = node.find("reason");
  rule.reason = reason ? reason->as_string() : rule.rule.text();
  return rule;
}

Value parse_value(const YamlNode& node) {
  const std::string text = node.as_string();
  const bool number = !text.empty() && (text[0] == '-' || std::isdigit(text[0]) != 0);
  if (number) return node.as_int();
  return Enum{text};
}

bool axis_takes(const AxisDecl& axis, const Value& value) {
  if (std::find(axis.values.begin(), axis.values.end(), value) != axis.values.end()) return true;
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr && axis.range && *number >= axis.range->first &&
         *number <= axis.range->second;
}

void require_axis_value(const AxisDecl& axis, const Value& value, const Mark& mark) {
  if (axis_takes(axis, value)) return;
  std::vector<std::string> listed;
  for (const Value& known : axis.values) listed.push_back(to_string(known));
  if (std::holds_alternative<Enum>(axis.values.front()))
    throw UserError(mark, unknown_name("value of axis " + axis.name, to_string(value), listed));
  const std::string range =
      axis.range ? fmt::format(" or {} to {}", axis.range->first, axis.range->second) : "";
  throw UserError(mark, fmt::format("axis {} takes {}{}, not {}", axis.name,
                                    fmt::join(listed, ", "), range, to_string(value)));
}

}  // namespace fusetune
