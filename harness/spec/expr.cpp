#include "harness/spec/expr.hpp"

#include "harness/spec/expr_syntax.hpp"

namespace fusetune {

namespace {

/// Longer texts are no expressions that someone wrote.
constexpr std::size_t text_size_max = 16384;

}  // namespace

Expr::Expr() : Expr(expression::make_integer(0)) {}

Expr::Expr(std::shared_ptr<const Node> root) : root_(std::move(root)) {}

Expr Expr::parse(std::string_view text, const SymbolTable& symbols, const Mark& at) {
  if (text.size() > text_size_max)
    throw UserError(
        at, "the expression is longer than " + std::to_string(text_size_max) + " characters");
  const expression::Source source{text, at};
  return Expr(expression::check_types(expression::parse_syntax(source), symbols, source));
}

Expr Expr::constant(std::int64_t value) { return Expr(expression::make_integer(value)); }

Type Expr::type() const { return root_->type.type; }

Value Expr::eval(const Bindings& bindings) const { return expression::evaluate(*root_, bindings); }

std::int64_t Expr::eval_int(const Bindings& bindings) const {
  const Value value = eval(bindings);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  throw EvalError(text() + ": not an integer");
}

bool Expr::eval_bool(const Bindings& bindings) const {
  const Value value = eval(bindings);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  throw EvalError(text() + ": neither true nor false");
}

const std::set<std::string>& Expr::names() const { return root_->names; }

Expr Expr::substitute(const Bindings& bindings) const {
  return Expr(expression::substitute_values(root_, bindings));
}

Expr Expr::substitute(const std::map<std::string, Expr>& definitions) const {
  std::map<std::string, expression::NodePtr> roots;
  for (const auto& [name, definition] : definitions) roots.emplace(name, definition.root_);
  return Expr(expression::substitute_definitions(root_, roots));
}

std::string Expr::text() const { return expression::print_text(*root_); }

std::string Expr::cpp(std::string_view prefix) const {
  return expression::print_cpp(*root_, prefix);
}

std::string Expr::python() const { return expression::print_python(*root_); }

Json Expr::json() const { return expression::print_json(*root_); }

bool operator==(const Expr& a, const Expr& b) { return expression::equal(*a.root_, *b.root_); }

}  // namespace fusetune
