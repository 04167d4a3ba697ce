// C++17 output, for headers that other projects compile with their own warnings.

#include <algorithm>
#include <array>
#include <limits>

#include "harness/spec/expr_code.hpp"

namespace fusetune {

namespace expression {

namespace {

bool is_cpp_keyword(std::string_view word) {
  static constexpr std::string_view keywords[]{"alignas",       "alignof",     "and",
                                               "and_eq",        "asm",         "auto",
                                               "bitand",        "bitor",       "bool",
                                               "break",         "case",        "catch",
                                               "char",          "char16_t",    "char32_t",
                                               "char8_t",       "class",       "co_await",
                                               "co_return",     "co_yield",    "compl",
                                               "concept",       "const",       "const_cast",
                                               "consteval",     "constexpr",   "constinit",
                                               "continue",      "decltype",    "default",
                                               "delete",        "do",          "double",
                                               "dynamic_cast",  "else",        "enum",
                                               "explicit",      "export",      "extern",
                                               "false",         "float",       "for",
                                               "friend",        "goto",        "if",
                                               "inline",        "int",         "long",
                                               "mutable",       "namespace",   "new",
                                               "noexcept",      "not",         "not_eq",
                                               "nullptr",       "operator",    "or",
                                               "or_eq",         "private",     "protected",
                                               "public",        "register",    "reinterpret_cast",
                                               "requires",      "return",      "short",
                                               "signed",        "sizeof",      "static",
                                               "static_assert", "static_cast", "struct",
                                               "switch",        "template",    "this",
                                               "thread_local",  "throw",       "true",
                                               "try",           "typedef",     "typeid",
                                               "typename",      "union",       "unsigned",
                                               "using",         "virtual",     "void",
                                               "volatile",      "wchar_t",     "while",
                                               "xor",           "xor_eq"};
  return std::binary_search(std::begin(keywords), std::end(keywords), word);
}

/// Printed as an int, in which a sum or product of two such could overflow.
bool is_narrow(const Expr::Node& node) {
  constexpr std::int64_t int_max = std::numeric_limits<std::int32_t>::max();
  if (node.op == Op::integer) return node.integer >= -int_max && node.integer <= int_max;
  if (node.op == Op::neg) return is_narrow(*node.args[0]);
  if (node.op == Op::select) return is_narrow(*node.args[1]) && is_narrow(*node.args[2]);
  return false;
}

/// Division and remainder are calls here: C++ rounds where we fail.
bool is_call(Op op) { return op == Op::div || op == Op::mod || is_function(op); }

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

int level_of(const Expr::Node& node) {
  if (node.op == Op::integer && node.integer < 0 && node.integer != lowest) return unary_level;
  return is_call(node.op) ? primary_level : facts_of(node.op).level;
}

class CppPrinter {
 public:
  explicit CppPrinter(std::string_view prefix) : prefix_(prefix) {}

  std::string print(const Expr::Node& node) const {
    switch (node.op) {
      case Op::integer:
        return print_integer(node.integer);
      case Op::boolean:
        return node.integer != 0 ? "true" : "false";
      case Op::enumerator:
        return cpp_identifier(node.type.enum_name) + "::" + cpp_identifier(node.word);
      case Op::name:
        return cpp_identifier(node.word);
      case Op::neg:
      case Op::logical_not:
        return std::string(facts_of(node.op).symbol) + grouped(*node.args[0], primary_level);
      case Op::select:
        return grouped(*node.args[0], or_level) + " ? " + grouped(*node.args[1], or_level) + " : " +
               grouped(*node.args[2], or_level);
      default:
        return is_call(node.op) ? print_call(node) : print_binary(node);
    }
  }

 private:
  /// The lowest integer has no literal of its own in C++.
  static std::string print_integer(std::int64_t value) {
    if (value == lowest)
      return "(-" + std::to_string(std::numeric_limits<std::int64_t>::max()) + " - 1)";
    return std::to_string(value);
  }

  std::string grouped(const Expr::Node& node, int level) const {
    return level_of(node) < level ? "(" + print(node) + ")" : print(node);
  }

  std::string print_binary(const Expr::Node& node) const {
    const Expr::Node& left = *node.args[0];
    const Expr::Node& right = *node.args[1];
    const bool arithmetic = facts_of(node.op).level >= add_level;
    return (arithmetic && is_narrow(left) && is_narrow(right) ? "std::int64_t{" + print(left) + "}"
                                                              : operand(node.op, left, false)) +
           " " + std::string(facts_of(node.op).symbol) + " " + operand(node.op, right, true);
  }

  std::string operand(Op parent, const Expr::Node& node, bool is_right) const {
    const bool group = needs_parentheses(parent, node.op, level_of(node), is_right);
    return group ? "(" + print(node) + ")" : print(node);
  }

  std::string print_call(const Expr::Node& node) const {
    std::string text(prefix_);
    text += node.op == Op::div ? "exact_div" : facts_of(node.op).name;
    for (std::size_t i = 0; i < node.args.size(); ++i)
      text += (i == 0 ? "(" : ", ") + print(*node.args[i]);
    return text + ")";
  }

  std::string_view prefix_;
};

}  // namespace

std::string make_identifier(std::string_view name, bool (*is_keyword)(std::string_view)) {
  std::string identifier;
  for (char c : name.ends_with(')') ? name.substr(0, name.size() - 1) : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    identifier += plain ? c : '_';
  }
  if (identifier.empty() || (identifier[0] >= '0' && identifier[0] <= '9'))
    identifier.insert(0, 1, '_');
  if (is_keyword(identifier)) identifier += '_';
  return identifier;
}

std::string print_cpp(const Expr::Node& node, std::string_view prefix) {
  return CppPrinter(prefix).print(node);
}

}  // namespace expression

std::string cpp_identifier(std::string_view name) {
  return expression::make_identifier(name, expression::is_cpp_keyword);
}

std::string_view cpp_support() {
  return R"(// What the expressions call. A failure (division by zero, a remainder, a divisor that is not
// positive) does not compile in a constant expression and aborts at run time: a wrong launch is worse.
[[noreturn]] inline void fail() { std::abort(); }

constexpr std::int64_t exact_div(std::int64_t a, std::int64_t b) {
  if (b == 0) fail();
  if (b == -1) return -a;
  if (a % b != 0) fail();
  return a / b;
}
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  if (b <= 0) fail();
  return a / b - (a % b < 0 ? 1 : 0);
}
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  if (b <= 0) fail();
  return a / b + (a % b > 0 ? 1 : 0);
}
constexpr std::int64_t mod(std::int64_t a, std::int64_t b) {
  if (b <= 0) fail();
  return a % b + (a % b < 0 ? b : 0);
}
constexpr std::int64_t align_up(std::int64_t a, std::int64_t b) { return ceil_div(a, b) * b; }
constexpr std::int64_t abs(std::int64_t a) { return a < 0 ? -a : a; }
constexpr bool is_pow2(std::int64_t a) { return a > 0 && (a & (a - 1)) == 0; }

constexpr std::int64_t min(std::int64_t a, std::int64_t b) { return b < a ? b : a; }
constexpr std::int64_t max(std::int64_t a, std::int64_t b) { return a < b ? b : a; }
constexpr std::int64_t gcd(std::int64_t a, std::int64_t b) {
  while (b != 0) {
    const std::int64_t rest = b == -1 ? 0 : a % b;
    a = b;
    b = rest;
  }
  return abs(a);
}
template <typename... Rest>
constexpr std::int64_t min(std::int64_t a, std::int64_t b, std::int64_t c, Rest... rest) {
  return min(min(a, b), c, rest...);
}
template <typename... Rest>
constexpr std::int64_t max(std::int64_t a, std::int64_t b, std::int64_t c, Rest... rest) {
  return max(max(a, b), c, rest...);
}
template <typename... Rest>
constexpr std::int64_t gcd(std::int64_t a, std::int64_t b, std::int64_t c, Rest... rest) {
  return gcd(gcd(a, b), c, rest...);
}
)";
}

}  // namespace fusetune
