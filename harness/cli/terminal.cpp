#include "harness/cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fusetune {

namespace {
bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void wrap_line(std::string_view text, std::size_t indent, std::string& out) {
  std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  std::string line(text.substr(0, begin));
  bool has_word = false;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    if (has_word && line.size() + 1 + word.size() > kLineWidth) {
      out += line + '\n';
      line.assign(indent, ' ');
    } else if (has_word) {
      line += ' ';
    }
    line += word;
    has_word = true;
    begin = end + 1;
  }
  out += line + '\n';
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
  const long long whole = std::llround(seconds);
  return fmt::format("{} min {:02d} s", whole / 60, whole % 60);
}

std::string shortened(std::string_view text, std::size_t width) {
  if (text.size() <= width) return std::string(text);
  if (width <= 3) return std::string(text.substr(0, width));
  return std::string(text.substr(0, width - 3)) + "...";
}

std::string wrapped(std::string_view text, std::size_t indent) {
  std::string out;
  for (;;) {
    const std::size_t end = text.find('\n');
    wrap_line(text.substr(0, end), indent, out);
    if (end == std::string_view::npos || end + 1 == text.size()) return out;
    text.remove_prefix(end + 1);
  }
}

}  // namespace fusetune
