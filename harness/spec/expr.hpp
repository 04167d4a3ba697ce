#pragma once
// Expressions of the YAML files: a typed tree over checked int64, bool and enumerations.
//
// Grammar, loosest first:  c ? a : b   ||   &&   == !=   < <= > >=   + -   * / %   unary - !   f(a,
// ...)   (a)   name   123
// `/` divides exactly and fails on a remainder (a head ratio that is not whole must not be
// rounded); floor_div and ceil_div round. Functions: ceil_div floor_div align_up min max gcd abs
// is_pow2 (min, max and gcd take two or more). floor_div, ceil_div, align_up and `%` need a
// positive divisor and round as in mathematics: a == floor_div(a, b) * b + a % b with a % b in
// 0..b-1. `true` and `false` are literals. The side of && || ?: that is not needed is not
// evaluated. Properties of declared things take a name: bytes(dtype), align_bytes(tensor),
// row_stride(tensor), has(tensor). They are looked up in the symbol table under exactly that text,
// e.g. "align_bytes(x)". An enumeration's value is written bare (`layout == interleaved`) and is
// resolved by the type of the other side; where no side has one, as substitution leaves it, it is
// written `layout::interleaved`.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/json.hpp"
#include "harness/spec/value.hpp"

namespace fusetune {

enum class Type { integer, boolean, enumeration };

struct SymbolType {
  Type type = Type::integer;
  std::string enum_name;            ///< which enumeration, for type checks and C++ output
  std::vector<std::string> values;  ///< of an enumeration, in declared order
};

/// What names an expression may use.
using SymbolTable = std::map<std::string, SymbolType>;

/// Evaluation failed: overflow, remainder, division by zero, a name without a value. The message
/// has the sub-expression.
class EvalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An immutable expression; cheap to copy.
class Expr {
 public:
  /// The integer 0.
  Expr();

  /// Parses and type-checks. `at` is the place of the text in its file; error columns count from
  /// it. Throws UserError: syntax, unknown name (with the nearest), wrong types.
  static Expr parse(std::string_view text, const SymbolTable& symbols, const Mark& at = {});

  static Expr constant(std::int64_t value);

  Type type() const;

  /// Throws EvalError.
  Value eval(const Bindings& bindings) const;
  std::int64_t eval_int(const Bindings& bindings) const;
  bool eval_bool(const Bindings& bindings) const;

  /// The names that it uses, properties in their full form ("align_bytes(x)").
  const std::set<std::string>& names() const;

  /// The expression with the given names replaced by their values and constants folded where that
  /// cannot fail. Throws EvalError for a value that its name cannot have.
  Expr substitute(const Bindings& bindings) const;

  /// Replaces names by expressions of the same type (derived symbols); EvalError otherwise.
  Expr substitute(const std::map<std::string, Expr>& definitions) const;

  /// Canonical text; parses back to an equal tree. Minimal parentheses.
  std::string text() const;

  /// A C++17 constexpr expression over std::int64_t variables named as the symbols, properties as
  /// `align_bytes_x`, enumeration values as `EnumName::value`. Functions are called in namespace
  /// `prefix` (e.g. "fusetune_expr::").
  std::string cpp(std::string_view prefix) const;

  /// A Python 3 expression; enumeration values are strings; uses math.gcd, and `//` for every
  /// division. Variables are named by python_identifier().
  std::string python() const;

  /// {"op": "add", "args": [...]}, {"name": ...}, {"int": ...}, {"enum": ...}.
  Json json() const;

  /// Whether the trees are the same; no algebra.
  friend bool operator==(const Expr& a, const Expr& b);

  struct Node;

 private:
  explicit Expr(std::shared_ptr<const Node> root);
  std::shared_ptr<const Node> root_;
};

/// The name as an identifier of C++: other characters become '_' ("align_bytes(x)" is
/// align_bytes_x), a leading digit gets '_' in front ("16" is _16), a keyword '_' behind ("new_").
std::string cpp_identifier(std::string_view name);

/// As cpp_identifier, for Python; the functions that python() calls count as keywords.
std::string python_identifier(std::string_view name);

/// The C++17 functions that cpp() calls, to be put into namespace `prefix`. Needs <cstdint> and
/// <cstdlib>.
std::string_view cpp_support();

}  // namespace fusetune
