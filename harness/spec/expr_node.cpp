#include "harness/spec/expr_node.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>

namespace fusetune::expression {

namespace {

/// Deeper trees could exhaust the stack of whoever walks them.
constexpr int depth_max = 1000;

constexpr std::array<OpFacts, 28> table{{
    {Op::integer, "int", "", primary_level, 0},
    {Op::boolean, "bool", "", primary_level, 0},
    {Op::enumerator, "enum", "", primary_level, 0},
    {Op::name, "name", "", primary_level, 0},
    {Op::neg, "neg", "-", unary_level, 1},
    {Op::logical_not, "not", "!", unary_level, 1},
    {Op::mul, "mul", "*", mul_level, 2},
    {Op::div, "div", "/", mul_level, 2},
    {Op::mod, "mod", "%", mul_level, 2},
    {Op::add, "add", "+", add_level, 2},
    {Op::sub, "sub", "-", add_level, 2},
    {Op::lt, "lt", "<", less_level, 2},
    {Op::le, "le", "<=", less_level, 2},
    {Op::gt, "gt", ">", less_level, 2},
    {Op::ge, "ge", ">=", less_level, 2},
    {Op::eq, "eq", "==", equal_level, 2},
    {Op::ne, "ne", "!=", equal_level, 2},
    {Op::logical_and, "and", "&&", and_level, 2},
    {Op::logical_or, "or", "||", or_level, 2},
    {Op::select, "select", "?", select_level, 3},
    {Op::ceil_div, "ceil_div", "", primary_level, 2},
    {Op::floor_div, "floor_div", "", primary_level, 2},
    {Op::align_up, "align_up", "", primary_level, 2},
    {Op::min, "min", "", primary_level, 2, true},
    {Op::max, "max", "", primary_level, 2, true},
    {Op::gcd, "gcd", "", primary_level, 2, true},
    {Op::abs, "abs", "", primary_level, 1},
    {Op::is_pow2, "is_pow2", "", primary_level, 1},
}};

SymbolType type_of_result(Op op, const std::vector<NodePtr>& args) {
  if (op == Op::select) return args[1]->type;
  const bool boolean = op == Op::logical_not || op == Op::logical_and || op == Op::logical_or ||
                       op == Op::is_pow2 || is_comparison(op);
  return {boolean ? Type::boolean : Type::integer, "", {}};
}

}  // namespace

const OpFacts& facts_of(Op op) { return table.at(static_cast<std::size_t>(op)); }

const OpFacts* find_function(std::string_view name) {
  const auto* found = std::find_if(table.begin(), table.end(), [&](const OpFacts& facts) {
    return is_function(facts.op) && facts.name == name;
  });
  return found != table.end() ? found : nullptr;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const OpFacts& facts : table)
    if (is_function(facts.op)) names.emplace_back(facts.name);
  return names;
}

NodePtr make_integer(std::int64_t value) {
  auto node = std::make_shared<Expr::Node>();
  node->integer = value;
  return node;
}

NodePtr make_boolean(bool value) {
  auto node = std::make_shared<Expr::Node>();
  node->op = Op::boolean;
  node->type.type = Type::boolean;
  node->integer = value ? 1 : 0;
  return node;
}

NodePtr make_enumerator(const SymbolType& type, std::string_view value) {
  auto node = std::make_shared<Expr::Node>();
  node->op = Op::enumerator;
  node->type = type;
  node->word = value;
  return node;
}

NodePtr make_name(std::string_view name, const SymbolType& type) {
  auto node = std::make_shared<Expr::Node>();
  node->op = Op::name;
  node->type = type;
  node->word = name;
  node->names.emplace(name);
  return node;
}

NodePtr make_operation(Op op, std::vector<NodePtr> args) {
  if (op == Op::neg && args[0]->op == Op::integer &&
      args[0]->integer != std::numeric_limits<std::int64_t>::min())
    return make_integer(-args[0]->integer);
  auto node = std::make_shared<Expr::Node>();
  node->op = op;
  node->type = type_of_result(op, args);
  for (const NodePtr& arg : args) {
    node->names.insert(arg->names.begin(), arg->names.end());
    node->depth = std::max(node->depth, arg->depth + 1);
  }
  if (node->depth > depth_max)
    throw EvalError(fmt::format("the expression has more than {} levels of operations", depth_max));
  node->args = std::move(args);
  return node;
}

NodePtr make_value(const Expr::Node& name, const Value& value) {
  const SymbolType& type = name.type;
  if (const auto* integer = std::get_if<std::int64_t>(&value);
      integer && type.type == Type::integer)
    return make_integer(*integer);
  if (const auto* boolean = std::get_if<bool>(&value); boolean && type.type == Type::boolean)
    return make_boolean(*boolean);
  if (const auto* word = std::get_if<Enum>(&value); word && type.type == Type::enumeration) {
    if (std::find(type.values.begin(), type.values.end(), word->name) != type.values.end())
      return make_enumerator(type, word->name);
  }
  if (type.type == Type::enumeration)
    throw EvalError(fmt::format("{}: '{}' is not one of its values ({})", name.word,
                                to_string(value), fmt::join(type.values, ", ")));
  throw EvalError(fmt::format("{}: '{}' is not {}", name.word, to_string(value),
                              type.type == Type::integer ? "an integer" : "true or false"));
}

bool equal(const Expr::Node& a, const Expr::Node& b) {
  return &a == &b || (a.op == b.op && a.integer == b.integer && a.word == b.word &&
                      a.type.type == b.type.type && a.type.enum_name == b.type.enum_name &&
                      std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(),
                                 [](const NodePtr& x, const NodePtr& y) { return equal(*x, *y); }));
}

}  // namespace fusetune::expression
