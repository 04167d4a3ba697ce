#include "harness/cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace fusetune {

namespace {
bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}
}  // namespace

Terminal Terminal::detect() {
  Terminal terminal;
  const char* kind = std::getenv("TERM");
  terminal.is_terminal = ::isatty(STDERR_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 &&
                         kind != nullptr && std::string_view(kind) != "dumb" && !is_set("CI");
  terminal.colour = terminal.is_terminal && !is_set("NO_COLOR");
  return terminal;
}

std::string Terminal::paint(const char* code, std::string_view text) const {
  if (!colour) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", code, text);
}

std::string counted(long long n, std::string_view noun) {
  if (n == 1) return fmt::format("1 {}", noun);
  if (noun.ends_with('y')) return fmt::format("{} {}ies", n, noun.substr(0, noun.size() - 1));
  return fmt::format("{} {}{}", n, noun, noun.ends_with("ch") ? "es" : "s");
}

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto whole = static_cast<long long>(seconds + 0.5);
  return fmt::format("{} min {:02d} s", whole / 60, whole % 60);
}

std::string shortened(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width <= 3) return std::string(text.substr(0, width));
  return std::string(text.substr(0, width - 3)) + "...";
}

}  // namespace fusetune
