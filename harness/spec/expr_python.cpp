// Python 3 output. Python's // and % round down, as floor_div and % do here.

#include <algorithm>

#include "harness/spec/expr_code.hpp"

namespace fusetune {

namespace expression {

namespace {

bool is_python_keyword(std::string_view word) {
  static constexpr std::string_view keywords[]{
      "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
      "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
      "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
      "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
  // The functions and the module that the expressions call are as good as keywords.
  return std::binary_search(std::begin(keywords), std::end(keywords), word) || word == "min" ||
         word == "max" || word == "abs" || word == "math";
}

int level_of(const Expr::Node& node) {
  switch (node.op) {
    case Op::integer:
      return node.integer < 0 ? unary_level : primary_level;
    case Op::logical_not:
      return and_level;  // looser than comparisons in Python
    case Op::floor_div:
    case Op::align_up:
      return mul_level;
    case Op::ceil_div:
      return unary_level;
    default:
      return facts_of(node.op).level;
  }
}

std::string_view symbol_of(Op op) {
  if (op == Op::div || op == Op::floor_div) return "//";
  if (op == Op::logical_and) return "and";
  if (op == Op::logical_or) return "or";
  return facts_of(op).symbol;
}

std::string print(const Expr::Node& node);

std::string grouped(const Expr::Node& node, int level) {
  return level_of(node) < level ? "(" + print(node) + ")" : print(node);
}

std::string print_binary(const Expr::Node& node) {
  // floor_div has the level of a function; below, it is an operator like the exact division.
  const Op parent = node.op == Op::floor_div ? Op::div : node.op;
  const auto operand = [&](const Expr::Node& arg, bool is_right) {
    const bool group = needs_parentheses(parent, arg.op, level_of(arg), is_right);
    return group ? "(" + print(arg) + ")" : print(arg);
  };
  return operand(*node.args[0], false) + " " + std::string(symbol_of(node.op)) + " " +
         operand(*node.args[1], true);
}

std::string print_ceil_div(const Expr::Node& node) {
  return "-(-" + grouped(*node.args[0], primary_level) + " // " +
         grouped(*node.args[1], unary_level) + ")";
}

std::string print_call(std::string_view name, const Expr::Node& node) {
  std::string text = std::string(name) + "(" + print(*node.args[0]);
  for (std::size_t i = 1; i < node.args.size(); ++i) text += ", " + print(*node.args[i]);
  return text + ")";
}

/// math.gcd takes two arguments before Python 3.9.
std::string print_gcd(const Expr::Node& node) {
  std::string text = print(*node.args[0]);
  for (std::size_t i = 1; i < node.args.size(); ++i)
    text = "math.gcd(" + text + ", " + print(*node.args[i]) + ")";
  return text;
}

std::string print_function(const Expr::Node& node) {
  switch (node.op) {
    case Op::ceil_div:
      return print_ceil_div(node);
    case Op::floor_div:
      return print_binary(node);
    case Op::align_up:
      return print_ceil_div(node) + " * " + grouped(*node.args[1], unary_level);
    case Op::gcd:
      return print_gcd(node);
    case Op::is_pow2: {
      const std::string arg = grouped(*node.args[0], add_level);
      return "(" + arg + " > 0 and " + arg + " & (" + arg + " - 1) == 0)";
    }
    default:
      return print_call(facts_of(node.op).name, node);
  }
}

std::string print(const Expr::Node& node) {
  switch (node.op) {
    case Op::integer:
      return std::to_string(node.integer);
    case Op::boolean:
      return node.integer != 0 ? "True" : "False";
    case Op::enumerator:
      return "'" + node.word + "'";
    case Op::name:
      return python_identifier(node.word);
    case Op::neg:
      return "-" + grouped(*node.args[0], primary_level);
    case Op::logical_not:
      return "not " + grouped(*node.args[0], primary_level);
    case Op::select:
      return grouped(*node.args[1], or_level) + " if " + grouped(*node.args[0], or_level) +
             " else " + grouped(*node.args[2], or_level);
    default:
      return is_function(node.op) ? print_function(node) : print_binary(node);
  }
}

}  // namespace

std::string print_python(const Expr::Node& node) { return print(node); }

}  // namespace expression

std::string python_identifier(std::string_view name) {
  return expression::make_identifier(name, expression::is_python_keyword);
}

}  // namespace fusetune
