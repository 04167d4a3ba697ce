#pragma once
// Private to the expression files: text to an untyped tree with places.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/spec/expr_node.hpp"

namespace fusetune::expression {

/// The text of one expression, to say where in it something is wrong.
struct Source {
  std::string_view text;
  Mark at;

  /// Throws UserError at that character of the text.
  [[noreturn]] void fail(std::size_t offset, const std::string& message) const;
};

/// A part as written; types are not known yet.
struct Syntax {
  enum class Kind { word, qualified, call, operation } kind = Kind::word;
  Op op = Op::name;       ///< of an operation
  std::string text;       ///< word, value of a qualified one, or called function
  std::string qualifier;  ///< the enumeration of a qualified value
  std::vector<Syntax> args;
  std::size_t offset = 0;     ///< of its first character
  std::size_t op_offset = 0;  ///< of the operator
};

/// Throws UserError at the offending character.
Syntax parse_syntax(const Source& source);

/// Types and names; throws UserError.
NodePtr check_types(const Syntax& syntax, const SymbolTable& symbols, const Source& source);

}  // namespace fusetune::expression
