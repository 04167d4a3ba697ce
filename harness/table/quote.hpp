#pragma once
// Text inside generated files.

#include <string>
#include <string_view>

namespace fusetune {

/// A C++ string literal; every byte outside printable ASCII as an octal escape.
std::string cpp_string(std::string_view text);

/// A YAML scalar that reads back as exactly this string.
std::string yaml_string(std::string_view text);

/// Safe within a // comment: no line end, no trailing backslash, printable ASCII.
std::string comment_text(std::string_view text);

/// The shortest decimal text that reads back as this double, with a point or an exponent. Throws
/// std::logic_error for what is no finite number.
std::string double_text(double value);

}  // namespace fusetune
