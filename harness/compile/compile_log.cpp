#include "harness/compile/compile_log.hpp"

#include <algorithm>
#include <vector>

namespace fusetune {

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool has(std::string_view line, std::string_view word) {
  return line.find(word) != std::string_view::npos;
}

/// "error:", with blanks before the colon as some assemblers have them.
bool reports_error(std::string_view line) {
  constexpr std::string_view word = "error";
  for (std::size_t at = line.find(word); at != std::string_view::npos;
       at = line.find(word, at + 1)) {
    const std::size_t end = line.find_first_not_of(' ', at + word.size());
    if (end != std::string_view::npos && line[end] == ':') return true;
  }
  return false;
}

/// The words of LLVM's back ends and of ptxas.
bool reports_resource_limit(std::string_view line) {
  return (has(line, "local memory") && has(line, "exceeds limit")) ||
         has(line, "ran out of registers") || has(line, "uses too much shared data") ||
         (has(line, "scratch") && has(line, "exceeds")) ||
         (has(line, "stack frame size") && has(line, "exceeds"));
}

}  // namespace

std::string first_error_line(std::string_view log) {
  const std::vector<std::string_view> lines = lines_of(log);
  const auto found = std::find_if(lines.begin(), lines.end(), reports_error);
  if (found != lines.end()) return std::string(*found);
  return lines.empty() ? "the compiler failed and said nothing" : std::string(lines.front());
}

Outcome outcome_of_failed_compile(std::string_view log) {
  const std::string line = first_error_line(log);
  return {reports_resource_limit(line) ? Status::resource_limit : Status::compile_error, line};
}

}  // namespace fusetune
