// Evaluation in checked 64-bit arithmetic, and substitution.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "harness/spec/expr_node.hpp"

namespace fusetune::expression {

namespace {

/// The reason of a failure; evaluate() adds the sub-expression.
struct Failure {
  std::string reason;
};

[[noreturn]] void overflow() { throw Failure{"the result does not fit in 64 bits"}; }

std::int64_t negate(std::int64_t a) {
  if (a == std::numeric_limits<std::int64_t>::min()) overflow();
  return -a;
}

std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) overflow();
  return result;
}

std::int64_t divide_exactly(std::int64_t a, std::int64_t b) {
  if (b == 0) throw Failure{fmt::format("{} is divided by zero", a)};
  if (b == -1) return negate(a);
  if (a % b != 0) throw Failure{fmt::format("{} is not a multiple of {}", a, b)};
  return a / b;
}

/// Rounding is defined for positive divisors, where all languages that we print can agree on it.
void expect_positive(std::int64_t divisor) {
  if (divisor <= 0) throw Failure{fmt::format("the divisor is {}, not positive", divisor)};
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  expect_positive(b);
  return a / b - (a % b < 0 ? 1 : 0);
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  expect_positive(b);
  return a / b + (a % b > 0 ? 1 : 0);
}

/// In 0..b-1, so that a == floor_div(a, b) * b + a % b.
std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  expect_positive(b);
  return a % b + (a % b < 0 ? b : 0);
}

std::int64_t gcd(std::int64_t a, std::int64_t b) {
  while (b != 0) a = std::exchange(b, b == -1 ? 0 : a % b);
  return a < 0 ? negate(a) : a;
}

std::int64_t apply_two(Op op, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (op) {
    case Op::add:
      if (__builtin_add_overflow(a, b, &result)) overflow();
      return result;
    case Op::sub:
      if (__builtin_sub_overflow(a, b, &result)) overflow();
      return result;
    case Op::mul:
      return multiply(a, b);
    case Op::div:
      return divide_exactly(a, b);
    case Op::mod:
      return floor_mod(a, b);
    case Op::floor_div:
      return floor_div(a, b);
    case Op::ceil_div:
      return ceil_div(a, b);
    case Op::align_up:
      return multiply(ceil_div(a, b), b);
    case Op::min:
      return std::min(a, b);
    case Op::max:
      return std::max(a, b);
    case Op::gcd:
      return gcd(a, b);
    default:
      throw std::logic_error("not an integer operation");
  }
}

bool compare(Op op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Op::lt:
      return a < b;
    case Op::le:
      return a <= b;
    case Op::gt:
      return a > b;
    case Op::ge:
      return a >= b;
    default:
      throw std::logic_error("not a comparison");
  }
}

class Evaluator {
 public:
  explicit Evaluator(const Bindings& bindings) : bindings_(bindings) {}

  Value eval(const Expr::Node& node) const {
    switch (node.op) {
      case Op::integer:
        return node.integer;
      case Op::boolean:
        return node.integer != 0;
      case Op::enumerator:
        return Enum{node.word};
      case Op::name:
        return lookup(node);
      case Op::logical_not:
        return !boolean(node, 0);
      case Op::logical_and:
        return boolean(node, 0) && boolean(node, 1);
      case Op::logical_or:
        return boolean(node, 0) || boolean(node, 1);
      case Op::select:
        return eval(boolean(node, 0) ? *node.args[1] : *node.args[2]);
      case Op::eq:
        return eval(*node.args[0]) == eval(*node.args[1]);
      case Op::ne:
        return eval(*node.args[0]) != eval(*node.args[1]);
      default:
        return eval_integers(node);
    }
  }

 private:
  Value lookup(const Expr::Node& node) const {
    const auto bound = bindings_.find(node.word);
    if (bound == bindings_.end()) throw EvalError(fmt::format("'{}' has no value", node.word));
    make_value(node, bound->second);  // refuses a value that the name cannot have
    return bound->second;
  }

  bool boolean(const Expr::Node& node, std::size_t arg) const {
    return std::get<bool>(eval(*node.args[arg]));
  }

  Value eval_integers(const Expr::Node& node) const {
    std::vector<std::int64_t> values;
    for (const NodePtr& arg : node.args) values.push_back(std::get<std::int64_t>(eval(*arg)));
    try {
      return apply(node.op, values);
    } catch (const Failure& failure) {
      throw EvalError(fmt::format("{}: {}", print_text(node), failure.reason));
    }
  }

  static Value apply(Op op, const std::vector<std::int64_t>& values) {
    if (op == Op::neg) return negate(values[0]);
    if (op == Op::abs) return values[0] < 0 ? negate(values[0]) : values[0];
    if (op == Op::is_pow2) return values[0] > 0 && (values[0] & (values[0] - 1)) == 0;
    if (is_comparison(op)) return compare(op, values[0], values[1]);
    std::int64_t result = values[0];
    for (std::size_t i = 1; i < values.size(); ++i) result = apply_two(op, result, values[i]);
    return result;
  }

  const Bindings& bindings_;
};

NodePtr literal_of(const SymbolType& type, const Value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return make_integer(*integer);
  if (const auto* boolean = std::get_if<bool>(&value)) return make_boolean(*boolean);
  return make_enumerator(type, std::get<Enum>(value).name);
}

bool is_boolean(const Expr::Node& node, bool value) {
  return node.op == Op::boolean && (node.integer != 0) == value;
}

/// One node simpler where that changes neither its value nor whether it fails.
NodePtr fold(const NodePtr& node) {
  const auto& args = node->args;
  if (node->op == Op::select && args[0]->op == Op::boolean)
    return args[0]->integer != 0 ? args[1] : args[2];
  if (node->op == Op::logical_and || node->op == Op::logical_or) {
    const bool neutral = node->op == Op::logical_and;
    if (is_boolean(*args[0], neutral)) return args[1];
    if (is_boolean(*args[0], !neutral)) return args[0];
    if (is_boolean(*args[1], neutral)) return args[0];
    return node;  // a constant right side does not make the left one safe to skip
  }
  for (const NodePtr& arg : args)
    if (!is_literal(*arg)) return node;
  try {
    return literal_of(node->type, evaluate(*node, {}));
  } catch (const EvalError&) {
    return node;  // fails when it is evaluated, with its own text
  }
}

}  // namespace

Value evaluate(const Expr::Node& node, const Bindings& bindings) {
  return Evaluator(bindings).eval(node);
}

NodePtr substitute_values(const NodePtr& node, const Bindings& bindings) {
  if (node->op == Op::name) {
    const auto bound = bindings.find(node->word);
    return bound != bindings.end() ? make_value(*node, bound->second) : node;
  }
  if (is_literal(*node)) return node;
  std::vector<NodePtr> args;
  for (const NodePtr& arg : node->args) args.push_back(substitute_values(arg, bindings));
  NodePtr built = make_operation(node->op, std::move(args));
  return is_literal(*built) ? built : fold(built);
}

NodePtr substitute_definitions(const NodePtr& node,
                               const std::map<std::string, NodePtr>& definitions) {
  if (node->op == Op::name) {
    const auto found = definitions.find(node->word);
    if (found == definitions.end()) return node;
    const SymbolType& type = found->second->type;
    if (type.type != node->type.type || type.enum_name != node->type.enum_name)
      throw EvalError(fmt::format("{}: its definition '{}' has another type", node->word,
                                  print_text(*found->second)));
    return found->second;
  }
  if (is_literal(*node)) return node;
  std::vector<NodePtr> args;
  for (const NodePtr& arg : node->args) args.push_back(substitute_definitions(arg, definitions));
  return make_operation(node->op, std::move(args));
}

}  // namespace fusetune::expression
