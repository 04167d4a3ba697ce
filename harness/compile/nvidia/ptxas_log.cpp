#include "harness/compile/nvidia/ptxas_log.hpp"

#include <algorithm>
#include <charconv>

namespace fusetune::nvidia {

namespace {

/// The number that stands before `words`: "32 bytes stack frame".
std::optional<std::int64_t> number_before(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::string_view before = line.substr(0, at);
  const std::size_t digits = before.find_last_not_of("0123456789") + 1;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(before.data() + digits, before.data() + at, number);
  if (error != std::errc() || end != before.data() + at) return std::nullopt;
  return number;
}

/// What stands in quotes behind "Compiling entry function".
std::string_view entry_of(std::string_view line) {
  constexpr std::string_view words = "Compiling entry function '";
  const std::size_t at = line.find(words);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = line.substr(at + words.size());
  return rest.substr(0, rest.find('\''));
}

void take(std::optional<std::int64_t>& field, std::string_view line, std::string_view words) {
  if (const auto number = number_before(line, words)) field = number;
}

}  // namespace

std::map<std::string, PtxasFacts, std::less<>> read_ptxas_log(std::string_view log) {
  std::map<std::string, PtxasFacts, std::less<>> facts;
  PtxasFacts* of = nullptr;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (const std::string_view entry = entry_of(line); !entry.empty())
      of = &facts[std::string(entry)];
    if (of == nullptr) continue;
    take(of->stack_bytes, line, " bytes stack frame");
    take(of->spill_store_bytes, line, " bytes spill stores");
    take(of->spill_load_bytes, line, " bytes spill loads");
    if (const auto registers = number_before(line, " registers")) {
      of->registers = registers;
      // ptxas leaves out what is 0 in this line.
      of->shared_bytes = number_before(line, " bytes smem").value_or(0);
    }
  }
  return facts;
}

}  // namespace fusetune::nvidia
