#pragma once
// What the formats have in common: names of files, JSON of values, units.

#include <cstddef>
#include <string>
#include <string_view>

#include "harness/base/json.hpp"
#include "harness/export/observations.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// Bytes of a name without its suffix: most file systems take 255, and a temporary name stands
/// beside it.
constexpr std::size_t kFileStemMax = 210;

/// Letters, digits, '_', '-' and '.' stay, all else becomes '_': a file name on any system, and
/// what Kernel Launcher makes of a tuning key.
std::string file_word(std::string_view text);

/// file_word of a key within what file systems take; a longer one is cut and ends in its hash.
std::string file_stem(std::string_view text);

/// A number, a truth value, or a word.
Json value_json(const Value& value);

/// Of every axis of the family, in the family's order; axes that the implementation does not have
/// are left out.
Json configuration_json(const Family& family, const Variant& variant);

/// Indented, with a line end. Throws std::logic_error for NaN and infinities: JSON has none, and
/// readers of other languages that print them break on each other's.
std::string json_text(const Json& json);
/// On one line, without a line end.
std::string json_line(const Json& json);

/// UTC to the second with a zone, "2026-01-31T12:00:00Z".
std::string second_of(const std::string& time);

/// A case, without its parentheses, as words: "split_reshape_cat-act_bf16-...".
std::string case_stem(const ObservedCase& observed);

/// Generation of an architecture as rocPRIM's headers have it: "cdna3" of gfx942; "unknown" else.
std::string_view generation_of(const Target& target);

}  // namespace fusetune
