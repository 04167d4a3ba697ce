#pragma once
// A strict reader over yaml-cpp: duplicate and unknown keys, numbers like 010 and wrong kinds are
// errors with file:line:column, what was expected, and the nearest valid name.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/base/json.hpp"

namespace fusetune {

/// One node of a YAML document with its place. A missing child is never returned: ask with find().
class YamlNode {
 public:
  enum class Kind { null, scalar, sequence, map };

  /// Parses a whole file; duplicate keys anywhere are errors. Throws UserError.
  static YamlNode load(const std::filesystem::path& path);
  /// As load, from text; `name` stands for the file in messages.
  static YamlNode parse(std::string_view text, const std::string& name);

  Kind kind() const;
  const Mark& mark() const;

  bool is_map() const { return kind() == Kind::map; }
  bool is_sequence() const { return kind() == Kind::sequence; }
  bool is_scalar() const { return kind() == Kind::scalar; }

  /// Of a map, in file order, keys with their own place.
  std::vector<std::pair<YamlNode, YamlNode>> entries() const;
  /// Of a sequence; a scalar counts as a sequence of one.
  std::vector<YamlNode> items() const;

  /// The child under `key`; nothing when absent. This node must be a map.
  std::optional<YamlNode> find(std::string_view key) const;
  /// The child under `key`, or an error that says that it is required.
  YamlNode at(std::string_view key) const;

  /// Errors on any key that is not in `allowed`, naming the nearest: "unknown WHAT 'name'", so
  /// `what` is like "key of a sweep". This node must be a map.
  void allow_keys(const std::vector<std::string>& allowed, std::string_view what) const;

  /// Scalars. Integers are decimal without leading zeros, underscores or signs other than '-'.
  std::string as_string() const;
  std::int64_t as_int() const;
  double as_double() const;
  /// true and false only; `on`, `off`, `yes` and `no` are names of values here.
  bool as_bool() const;
  /// A string that holds JSON; `what` is like "the conditions".
  Json as_json(std::string_view what) const;
  /// One of `names`, or an error with the nearest.
  std::string as_one_of(const std::vector<std::string>& names, std::string_view what) const;

  /// Throws UserError at this place.
  [[noreturn]] void fail(const std::string& message) const;

  struct Impl;

 private:
  explicit YamlNode(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace fusetune
