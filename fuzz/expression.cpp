// Expressions: what parses prints, parses again to the same tree, and means the same.

#include <algorithm>

#include "fuzz/target.hpp"
#include "harness/base/error.hpp"
#include "tests/spec/expr_fixture.hpp"

namespace fusetune::fuzz {

namespace {

constexpr const char* kFile = "family.yaml";

Expr again(const std::string& text) {
  try {
    return Expr::parse(text, test::table(), {kFile, 1, 1});
  } catch (const UserError& error) {
    require(false, "the text of an expression does not parse: " + text + ": " + error.what());
    throw;
  }
}

void check(const Expr& expr) {
  require(again(expr.text()) == expr, "another tree from its own text: " + expr.text());
  const Bindings values = test::bindings();
  const std::string value = test::outcome(expr, values);
  try {
    const Expr bound = expr.substitute(values);
    require(bound.names().empty(), "names left by a substitution of all: " + bound.text());
    require(test::outcome(bound, {}) == value, "another value after substitution: " + expr.text());
    require(again(bound.text()) == bound, "another tree from its own text: " + bound.text());
  } catch (const EvalError&) {
    // Too deep a tree.
  }
  require_cpp(expr.cpp("fusetune_expr::"));
  const std::string python = expr.python();
  require(std::all_of(python.begin(), python.end(), [](char c) { return c >= 0x20 && c < 0x7f; }),
          "a byte in Python that is not printable ASCII");
  require_json_text(expr.json().dump(2));
}

}  // namespace

void run(std::string_view input) {
  Expr expr;
  try {
    expr = Expr::parse(input, test::table(), {kFile, 1, 1});
  } catch (const UserError& error) {
    return require_place(error.what(), kFile);
  }
  check(expr);
}

}  // namespace fusetune::fuzz
