#pragma once
// Private to the expression files: the nodes of the tree and what is known of each operation.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/expr.hpp"

namespace fusetune::expression {

/// Leaves, then operators from tight to loose, then functions.
enum class Op {
  integer,
  boolean,
  enumerator,
  name,
  neg,
  logical_not,
  mul,
  div,
  mod,
  add,
  sub,
  lt,
  le,
  gt,
  ge,
  eq,
  ne,
  logical_and,
  logical_or,
  select,
  ceil_div,
  floor_div,
  align_up,
  min,
  max,
  gcd,
  abs,
  is_pow2,
};

/// How tightly an operation binds in our grammar; larger is tighter.
enum Level {
  select_level,
  or_level,
  and_level,
  equal_level,
  less_level,
  add_level,
  mul_level,
  unary_level,
  primary_level
};

struct OpFacts {
  Op op;
  std::string_view name;    ///< in JSON, and of functions also in expressions
  std::string_view symbol;  ///< of operators; empty for functions
  Level level;
  std::size_t args_min;
  bool variadic = false;
};

const OpFacts& facts_of(Op op);
/// The function of that name, or nullptr.
const OpFacts* find_function(std::string_view name);
std::vector<std::string> function_names();

inline bool is_function(Op op) { return op >= Op::ceil_div; }
inline bool is_comparison(Op op) { return op >= Op::lt && op <= Op::ne; }

using NodePtr = std::shared_ptr<const Expr::Node>;

}  // namespace fusetune::expression

namespace fusetune {

struct Expr::Node {
  expression::Op op = expression::Op::integer;
  SymbolType type;
  std::int64_t integer = 0;  ///< of an integer or boolean leaf
  std::string word;          ///< of a name or an enumerator
  std::vector<expression::NodePtr> args;
  std::set<std::string> names;
  int depth = 1;
};

}  // namespace fusetune

namespace fusetune::expression {

NodePtr make_integer(std::int64_t value);
NodePtr make_boolean(bool value);
NodePtr make_enumerator(const SymbolType& type, std::string_view value);
NodePtr make_name(std::string_view name, const SymbolType& type);
/// The arguments are of the right types and number. A negated literal becomes a literal, so that
/// text reads back as the same tree. Throws EvalError when the tree gets too deep to walk.
NodePtr make_operation(Op op, std::vector<NodePtr> args);

/// A leaf of the value, typed as the name that it stands for. Throws EvalError when it does not
/// fit.
NodePtr make_value(const Expr::Node& name, const Value& value);

inline bool is_literal(const Expr::Node& node) { return node.op <= Op::enumerator; }
bool equal(const Expr::Node& a, const Expr::Node& b);

Value evaluate(const Expr::Node& node, const Bindings& bindings);
/// Names replaced by their values; constants folded where that cannot fail.
NodePtr substitute_values(const NodePtr& node, const Bindings& bindings);
/// Names replaced by trees of the same type.
NodePtr substitute_definitions(const NodePtr& node,
                               const std::map<std::string, NodePtr>& definitions);

std::string print_text(const Expr::Node& node);
std::string print_cpp(const Expr::Node& node, std::string_view prefix);
std::string print_python(const Expr::Node& node);
Json print_json(const Expr::Node& node);

}  // namespace fusetune::expression
