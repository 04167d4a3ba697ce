// Canonical text, which parses back to an equal tree, and JSON.

#include "harness/spec/expr_node.hpp"

namespace fusetune::expression {

namespace {

/// A part that is an enumeration's value by name only, without anything that says whose.
bool is_bare(const Expr::Node& node) {
  return node.op == Op::enumerator ||
         (node.op == Op::select && node.type.type == Type::enumeration && is_bare(*node.args[1]) &&
          is_bare(*node.args[2]));
}

/// `has_partner`: something beside the part says which enumeration its bare values belong to.
/// Otherwise they are written `enumeration::value`; substitution leaves such values behind.
std::string print(const Expr::Node& node, bool has_partner);

std::string print_at(const Expr::Node& node, int level, bool has_partner = false) {
  std::string text = print(node, has_partner);
  return facts_of(node.op).level < level ? "(" + text + ")" : text;
}

std::string print_select(const Expr::Node& node, bool has_partner) {
  const Expr::Node& yes = *node.args[1];
  const Expr::Node& no = *node.args[2];
  const bool yes_has_partner = has_partner || !is_bare(no);
  return print_at(*node.args[0], or_level) + " ? " + print(yes, yes_has_partner) + " : " +
         print(no, true);
}

std::string print_call(const Expr::Node& node) {
  std::string text(facts_of(node.op).name);
  for (std::size_t i = 0; i < node.args.size(); ++i)
    text += (i == 0 ? "(" : ", ") + print(*node.args[i], false);
  return text + ")";
}

std::string print(const Expr::Node& node, bool has_partner) {
  const OpFacts& facts = facts_of(node.op);
  switch (node.op) {
    case Op::integer:
      return std::to_string(node.integer);
    case Op::boolean:
      return node.integer != 0 ? "true" : "false";
    case Op::enumerator:
      return has_partner ? node.word : node.type.enum_name + "::" + node.word;
    case Op::name:
      return node.word;
    case Op::neg:
    case Op::logical_not:
      return std::string(facts.symbol) + print_at(*node.args[0], unary_level);
    case Op::select:
      return print_select(node, has_partner);
    default:
      break;
  }
  if (is_function(node.op)) return print_call(node);
  return print_at(*node.args[0], facts.level, !is_bare(*node.args[1])) + " " +
         std::string(facts.symbol) + " " + print_at(*node.args[1], facts.level + 1, true);
}

}  // namespace

std::string print_text(const Expr::Node& node) { return print(node, false); }

Json print_json(const Expr::Node& node) {
  switch (node.op) {
    case Op::integer:
      return {{"int", node.integer}};
    case Op::boolean:
      return {{"bool", node.integer != 0}};
    case Op::enumerator:
      return {{"enum", node.word}};
    case Op::name:
      return {{"name", node.word}};
    default:
      break;
  }
  Json args = Json::array();
  for (const NodePtr& arg : node.args) args.push_back(print_json(*arg));
  return {{"op", facts_of(node.op).name}, {"args", std::move(args)}};
}

}  // namespace fusetune::expression
