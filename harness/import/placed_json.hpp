#pragma once
// JSON from elsewhere, each value with the line that it stands in.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/json.hpp"

namespace fusetune {

/// One value. Objects keep the order of their file.
struct PlacedJson {
  struct Member;
  enum class Kind { scalar, array, object } kind = Kind::scalar;
  Json scalar;
  std::vector<Member> members;  ///< of arrays with empty names
  std::string file;
  int line = 0;

  bool is_object() const { return kind == Kind::object; }
  bool is_array() const { return kind == Kind::array; }
  bool is_string() const { return kind == Kind::scalar && scalar.is_string(); }
  bool is_number() const { return kind == Kind::scalar && scalar.is_number(); }

  /// Of an object; nullptr where it is not there, or this is no object.
  const PlacedJson* find(std::string_view name) const;
  /// Throws UserError at this place where it is not there.
  const PlacedJson& at(std::string_view name) const;
  /// Throw UserError at this place where it is something else.
  const std::string& string() const;
  double number() const;
  const std::vector<Member>& array() const;

  Json json() const;
  [[noreturn]] void fail(const std::string& message) const;
};

struct PlacedJson::Member {
  std::string name;
  PlacedJson value;
};

/// Parses a whole text; `first_line` is that of its beginning. Throws UserError with file:line for
/// what is no JSON, a name that is twice in one object, and more than 64 levels.
PlacedJson parse_placed_json(std::string_view text, const std::string& file, int first_line = 1);

}  // namespace fusetune
