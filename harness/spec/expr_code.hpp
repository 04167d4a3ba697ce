#pragma once
// Private to the expression files: what the printers of other languages share.

#include <string>
#include <string_view>

#include "harness/spec/expr_node.hpp"

namespace fusetune::expression {

/// Whether an operand needs parentheses below a binary operator. More than C++ and Python ask for:
/// compilers warn of && in || and of chained comparisons, and Python chains comparisons.
inline bool needs_parentheses(Op parent, Op child, int child_level, bool is_right) {
  const int level = facts_of(parent).level;
  if (child_level >= unary_level) return false;
  if (level >= add_level) return is_right ? child_level <= level : child_level < level;
  if (is_comparison(parent)) return child_level < add_level;
  const bool continues = child == parent && !is_right;
  return !continues && child_level < equal_level;
}

/// Letters, digits and underscores only, none of the given words, no digit in front.
std::string make_identifier(std::string_view name, bool (*is_keyword)(std::string_view));

}  // namespace fusetune::expression
