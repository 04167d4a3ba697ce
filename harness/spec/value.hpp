#pragma once
// The values that symbols, options and axes take.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <variant>

namespace fusetune {

/// One value of an enumeration (an option, an enumerated axis, a dtype), by name.
struct Enum {
  std::string name;
  auto operator<=>(const Enum&) const = default;
};

/// bool appears only as the result of an expression; symbols are int64 or Enum.
using Value = std::variant<bool, std::int64_t, Enum>;

/// Name to value. Ordered, so that everything printed from it is stable.
using Bindings = std::map<std::string, Value>;

std::string to_string(const Value& value);

/// "a=1,b=x", sorted by name: the form of keys.
std::string to_string(const Bindings& bindings);

}  // namespace fusetune
