#pragma once
// The names that the expressions of a family may use, and what each of them depends on.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/family.hpp"
#include "harness/spec/yaml.hpp"

namespace fusetune {

/// What a name depends on, as bits. A derived symbol has the bits of all that it uses.
namespace reach {
inline constexpr unsigned geometry = 1;   ///< static symbols, options, bytes()
inline constexpr unsigned presence = 2;   ///< has()
inline constexpr unsigned alignment = 4;  ///< align_bytes()
inline constexpr unsigned axes = 8;
inline constexpr unsigned wave = 16;     ///< WAVE_SIZE
inline constexpr unsigned runtime = 32;  ///< runtime symbols, row_stride()
inline constexpr unsigned device = 64;   ///< CU_COUNT, LDS_BYTES_MAX, BLOCK_THREADS_MAX
inline constexpr unsigned facts = 128;   ///< of the compiled and traced variant

/// What the parts of a family may use.
inline constexpr unsigned of_shape = geometry | presence;
inline constexpr unsigned of_geometry = of_shape | alignment;
inline constexpr unsigned of_variant = of_geometry | axes | wave;
inline constexpr unsigned of_case = of_geometry | runtime;
inline constexpr unsigned of_block = of_variant | device;
inline constexpr unsigned of_launch = of_variant | runtime | device;
inline constexpr unsigned of_requirement = of_variant | facts;
}  // namespace reach

/// The symbol table of a family with the reach of every name.
class Vocabulary {
 public:
  void add(const std::string& name, SymbolType type, unsigned reach);

  /// Parses an expression that stands for `what` ("a constraint") and may reach only `allowed`.
  /// Throws UserError at the node.
  Expr parse_int(const YamlNode& node, unsigned allowed, std::string_view what) const;
  Expr parse_bool(const YamlNode& node, unsigned allowed, std::string_view what) const;
  Expr parse_any(const YamlNode& node, unsigned allowed, std::string_view what) const;
  /// As parse_int, from text of our own making.
  Expr parse_text(const std::string& text) const;

  unsigned reach_of(const Expr& expr) const;
  /// The type with its enumeration, which an Expr does not tell by itself.
  SymbolType type_of(const Expr& expr) const;

  /// The table without names beyond `allowed`, for messages that list names.
  const SymbolTable& symbols() const { return symbols_; }

 private:
  SymbolTable symbols_;
  std::map<std::string, unsigned> reach_;
};

/// Of symbols, options, tensors, ..., in their order.
template <typename Decl>
std::vector<std::string> names_of(const std::vector<Decl>& decls) {
  std::vector<std::string> names;
  for (const Decl& decl : decls) names.push_back(decl.name);
  return names;
}

/// Everything that the family declares so far, and the names of target and device.
Vocabulary vocabulary_of(const Family& family);

/// "text" or {rule: text, reason: why}.
RuleDecl parse_rule(const YamlNode& node, const Vocabulary& vocabulary, unsigned allowed,
                    std::string_view what);

/// An axis or option value: an integer or a word.
Value parse_value(const YamlNode& node);

/// The value of a scalar: a number that its type holds.
double parse_scalar(const YamlNode& node, ScalarDecl::Type type);
/// Why a scalar cannot have the value; "" when it can.
std::string scalar_fault(ScalarDecl::Type type, double value);

/// Whether a sweep or a fixed axis may use the value: listed, or within the range.
bool axis_takes(const AxisDecl& axis, const Value& value);
/// As axis_takes, or an error at the node that says what the axis takes.
void require_axis_value(const AxisDecl& axis, const Value& value, const Mark& mark);

}  // namespace fusetune
