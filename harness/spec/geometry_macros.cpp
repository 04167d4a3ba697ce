#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "harness/spec/family_vocabulary.hpp"
#include "harness/spec/geometry_parts.hpp"

namespace fusetune {

namespace {

std::string macro_name(std::string_view name) {
  std::string macro = "FT_";
  for (const char c : name) macro += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return macro;
}

/// Macros by name; a map, because their order must not depend on the family's.
class Macros {
 public:
  void number(std::string_view name, std::int64_t value) {
    // Parentheses keep `a - FT_X` right for negative values.
    macros_[macro_name(name)] = value < 0 ? fmt::format("({})", value) : std::to_string(value);
  }

  void text(std::string_view name, std::string text) {
    macros_[macro_name(name)] = std::move(text);
  }

  /// FT_NAME=FT_NAME_VALUE with the indices of all values.
  void word(const std::string& name, const std::string& value,
            const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      number(name + "_" + values[i], static_cast<std::int64_t>(i));
    macros_[macro_name(name)] = macro_name(name + "_" + value);
  }

  void value(const std::string& name, const Value& value, const std::vector<std::string>& values) {
    if (const auto* flag = std::get_if<bool>(&value))
      number(name, *flag ? 1 : 0);
    else if (const auto* integer = std::get_if<std::int64_t>(&value))
      number(name, *integer);
    else
      word(name, std::get<Enum>(value).name, values);
  }

  std::vector<std::pair<std::string, std::string>> list() const {
    return {macros_.begin(), macros_.end()};
  }

 private:
  std::map<std::string, std::string> macros_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> macros_of(const Geometry& geometry,
                                                           const Variant& variant,
                                                           const Target& target) {
  const Family& family = *geometry.family;
  const Bindings scope = scope_of(geometry, &target, &variant);
  const Vocabulary names = vocabulary_of(family);
  Macros macros;
  macros.number("wave_size", target.wave_size);
  for (const auto& [name, value] : geometry.statics) {
    const OptionDecl* option = family.find_option(name);
    macros.value(name, value, option != nullptr ? option->values : std::vector<std::string>{});
  }
  for (const auto& [name, dtype] : geometry.dtypes) {
    macros.number("bytes_" + name, size_bytes(dtype));
    // Without types, dtypes of one size share their code.
    if (!family.moves_bytes()) macros.text("type_" + name, fmt::format("ft_{}", to_string(dtype)));
  }
  for (const TensorDecl& tensor : family.tensors) {
    const bool there = geometry.has(tensor.name);
    macros.number("has_" + tensor.name, there ? 1 : 0);
    if (there) macros.number("align_" + tensor.name, geometry.align_bytes.at(tensor.name));
  }
  for (const auto& [name, value] : variant.axes)
    macros.value(name, value, names.symbols().at(name).values);
  // Derived symbols over runtime symbols have no value here, so none becomes a macro.
  for (const auto& [name, expr] : family.derived) {
    const auto value = scope.find(name);
    if (value == scope.end()) continue;
    macros.value(name, value->second, names.symbols().at(name).values);
  }
  return macros.list();
}

}  // namespace fusetune
