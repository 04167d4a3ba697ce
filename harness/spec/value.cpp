#include "harness/spec/value.hpp"

namespace fusetune {

std::string to_string(const Value& value) {
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  return std::get<Enum>(value).name;
}

std::string to_string(const Bindings& bindings) {
  std::string text;
  for (const auto& [name, value] : bindings) {
    if (!text.empty()) text += ',';
    text += name + '=' + to_string(value);
  }
  return text;
}

}  // namespace fusetune
