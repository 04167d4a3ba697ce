#include "harness/cli/size_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string_view>

#include "harness/base/error.hpp"

namespace fusetune {

std::int64_t parse_bytes(const std::string& text) {
  constexpr std::string_view kUnits = "KMGT";
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  int shift = 0;
  bool whole = error == std::errc() && rest != text.data() && number >= 0;
  if (whole && rest != end) {
    const std::size_t unit = kUnits.find(*rest);
    whole = unit != std::string_view::npos && rest + 1 == end;
    shift = 10 * (static_cast<int>(unit) + 1);
  }
  if (!whole || number > std::numeric_limits<std::int64_t>::max() >> shift)
    throw UserError(fmt::format(
        "'{}' is no size; give a whole number of bytes, or one with K, M, G or T behind it", text));
  return number << shift;
}

double parse_percent(const std::string& text) {
  std::string_view number = text;
  if (number.ends_with('%')) number.remove_suffix(1);
  if (number.ends_with(' ')) number.remove_suffix(1);
  double percent = 0;
  const char* end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, percent, std::chars_format::fixed);
  if (error != std::errc() || rest != end || !(percent > 0) || percent > 100)
    throw UserError(fmt::format("'{}' is no percentage above 0 and up to 100, like 5%", text));
  return percent / 100;
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  const char* unit = "";
  for (const char* next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return fmt::format("{:.1f} {}", value, unit);
}

}  // namespace fusetune
