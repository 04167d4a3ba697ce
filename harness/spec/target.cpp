#include "harness/spec/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

/// gfx<major><minor><stepping>: the last two are one hexadecimal digit each. CDNA is gfx9 with
/// waves of 64; RDNA is gfx10 to gfx12, compiled for waves of 32 unless told otherwise.
std::optional<Target> parse_amd(std::string_view name) {
  if (!name.starts_with("gfx")) return std::nullopt;
  const std::string_view number = name.substr(3);
  if (number.size() < 3 || !std::all_of(number.begin(), number.end(), is_hex_digit))
    return std::nullopt;
  const std::string_view major = number.substr(0, number.size() - 2);
  if (major == "9") return Target{std::string(name), Platform::amd, 64};
  if (major == "10" || major == "11" || major == "12")
    return Target{std::string(name), Platform::amd, 32};
  return std::nullopt;
}

/// sm_<two or three digits>, with `a` or `f` for the features of one architecture or family.
std::optional<Target> parse_nvidia(std::string_view name) {
  if (!name.starts_with("sm_")) return std::nullopt;
  std::string_view digits = name.substr(3);
  if (digits.ends_with('a') || digits.ends_with('f')) digits.remove_suffix(1);
  if (digits.size() < 2 || digits.size() > 3 || digits.front() == '0' ||
      !std::all_of(digits.begin(), digits.end(), is_digit))
    return std::nullopt;
  return Target{std::string(name), Platform::nvidia, 32};
}

std::optional<Target> parse_known_form(std::string_view name) {
  if (name == "host" || name == "host-w64") return Target{"host-w64", Platform::host, 64};
  if (name == "host-w32") return Target{"host-w32", Platform::host, 32};
  if (name == "simulated" || name == "simulated-w64")
    return Target{"simulated-w64", Platform::simulated, 64};
  if (name == "simulated-w32") return Target{"simulated-w32", Platform::simulated, 32};
  if (auto amd = parse_amd(name)) return amd;
  return parse_nvidia(name);
}

/// What the user may have meant: the same in lower case, without target features, or a near name.
std::string suggestion(std::string_view name) {
  std::string plain(name.substr(0, name.find(':')));
  std::transform(plain.begin(), plain.end(), plain.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (parse_known_form(plain)) return plain;
  return nearest(plain, known_targets());
}

}  // namespace

Target parse_target(std::string_view name) {
  if (auto target = parse_known_form(name)) return *target;
  std::string message = fmt::format("unknown target '{}'", name);
  if (const std::string near = suggestion(name); !near.empty())
    message += fmt::format("; did you mean '{}'?", near);
  message +=
      " (targets are host-w64, host-w32, simulated, gfx9xx to gfx12xx such as gfx942 or gfx1100, "
      "and sm_NN such as sm_90)";
  throw UserError(message);
}

const std::vector<std::string>& known_targets() {
  static const std::vector<std::string> names{
      "host-w64", "host-w32", "gfx906",  "gfx908",        "gfx90a",       "gfx942", "gfx950",
      "gfx1030",  "gfx1100",  "gfx1101", "gfx1200",       "gfx1201",      "sm_80",  "sm_89",
      "sm_90",    "sm_100",   "sm_120",  "simulated-w64", "simulated-w32"};
  return names;
}

}  // namespace fusetune
