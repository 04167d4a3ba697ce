#pragma once
// Text of any origin inside HTML, SVG, JSON within HTML, and file names.

#include <string>
#include <string_view>

#include "harness/base/json.hpp"

namespace fusetune {

/// Safe as text and inside a quoted attribute, of HTML and of XML. Control characters and bytes
/// that are no UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

/// As escaped(), where lines may break behind commas and brackets, as keys need it; HTML alone.
std::string escaped_key(std::string_view key);

/// For the inside of a script element: no "<" of a string can end it.
std::string script_json(const Json& json);

/// Lower-case letters, digits and single dashes, for ids and file names; "x" of nothing else.
std::string slug(std::string_view text);

}  // namespace fusetune
