#pragma once
// Errors that the user caused. Failures of a variant are values (status.hpp), never exceptions.

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fusetune {

/// A place in a file of the user's; line and column count from 1, 0 means unknown.
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;

  /// "file:line:column", shortened where a part is unknown.
  std::string text() const;
};

/// The user erred: wrong YAML, unknown name, unusable path. Exit code 64.
class UserError : public std::runtime_error {
 public:
  explicit UserError(const std::string& message) : std::runtime_error(message) {}
  /// what() becomes "file:line:column: message".
  UserError(const Mark& mark, const std::string& message);
};

/// The name of `candidates` closest to `name` by edit distance, or "" when none is near enough to
/// suggest.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// "unknown WHAT 'name'; did you mean 'x'? (one of: a, b, c)", for every message of that kind.
std::string unknown_name(std::string_view what, std::string_view name,
                         const std::vector<std::string>& candidates);

}  // namespace fusetune
