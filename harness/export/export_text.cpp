#include "harness/export/export_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

void require_finite(const Json& json) {
  if (json.is_number_float() && !std::isfinite(json.get<double>()))
    throw std::logic_error("a figure of an export is not a finite number");
  if (json.is_structured())
    for (const Json& child : json) require_finite(child);
}

}  // namespace

std::string file_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '_' || c == '-' || c == '.';
    word += plain ? c : '_';
  }
  return word;
}

std::string file_stem(std::string_view text) {
  const std::string word = file_word(text);
  if (word.size() <= kFileStemMax) return word;
  constexpr std::size_t kHashDigits = 8;
  return word.substr(0, kFileStemMax - kHashDigits - 1) + "-" +
         hash_hex(text).substr(0, kHashDigits);
}

Json value_json(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* truth = std::get_if<bool>(&value)) return *truth;
  return to_string(value);
}

Json configuration_json(const Family& family, const Variant& variant) {
  Json json = Json::object();
  for (const AxisDecl& axis : family.axes)
    if (const auto value = variant.axes.find(axis.name); value != variant.axes.end())
      json[axis.name] = value_json(value->second);
  return json;
}

std::string json_line(const Json& json) {
  require_finite(json);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string json_text(const Json& json) {
  require_finite(json);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string second_of(const std::string& time) {
  constexpr std::size_t kSeconds = 19;  // "2026-01-31T12:00:00"
  return time.size() < kSeconds ? time : time.substr(0, kSeconds) + "Z";
}

std::string case_stem(const ObservedCase& observed) {
  return file_stem(fmt::format("{}-{}-{}", observed.which.key(), observed.device, observed.data));
}

std::string_view generation_of(const Target& target) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kGenerations{{
      {"gfx906", "vega20"},
      {"gfx908", "cdna1"},
      {"gfx90a", "cdna2"},
      {"gfx942", "cdna3"},
      {"gfx950", "cdna4"},
      {"gfx103", "rdna2"},
      {"gfx110", "rdna3"},
      {"gfx115", "rdna3"},
      {"gfx120", "rdna4"},
      {"sm_90", "hopper"},
  }};
  for (const auto& [prefix, generation] : kGenerations)
    if (target.name.starts_with(prefix)) return generation;
  return "unknown";
}

}  // namespace fusetune
