#include "harness/compile/disassembly.hpp"

#include <algorithm>
#include <array>

namespace fusetune {

namespace {

struct Width {
  std::string_view name;
  std::int64_t bytes;
};

constexpr std::array kWidths{
    Width{"ubyte", 1},    Width{"sbyte", 1}, Width{"byte", 1},     Width{"u8", 1},
    Width{"i8", 1},       Width{"b8", 1},    Width{"ushort", 2},   Width{"sshort", 2},
    Width{"short", 2},    Width{"u16", 2},   Width{"i16", 2},      Width{"b16", 2},
    Width{"dword", 4},    Width{"b32", 4},   Width{"dwordx2", 8},  Width{"b64", 8},
    Width{"dwordx3", 12}, Width{"b96", 12},  Width{"dwordx4", 16}, Width{"b128", 16},
};

bool drop_prefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

void drop_suffix(std::string_view* text, std::string_view suffix) {
  if (text->ends_with(suffix)) text->remove_suffix(suffix.size());
}

/// Bytes of what follows "global_load_" or the like; 0 when it is no plain access.
std::int64_t width_of(std::string_view name) {
  drop_suffix(&name, "_e64");
  drop_prefix(&name, "lds_");  // straight into LDS
  drop_prefix(&name, "tr_");   // transposing
  drop_prefix(&name, "d16_");  // into half a register
  drop_prefix(&name, "hi_");
  drop_suffix(&name, "_hi");
  drop_suffix(&name, "_d16");
  for (const Width& width : kWidths)
    if (width.name == name) return width.bytes;
  return 0;
}

std::string_view first_word(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  return line.substr(0, std::min(line.find_first_of(" \t\r"), line.size()));
}

void count_line(std::string_view line, bool has_scratch, AccessCounts* counts) {
  std::string_view mnemonic = first_word(line);
  const bool is_buffer = !has_scratch && drop_prefix(&mnemonic, "buffer_");
  if (!is_buffer && !drop_prefix(&mnemonic, "global_") && !drop_prefix(&mnemonic, "flat_")) return;
  const bool is_load = drop_prefix(&mnemonic, "load_");
  if (!is_load && !drop_prefix(&mnemonic, "store_")) return;
  if (const std::int64_t bytes = width_of(mnemonic); bytes > 0)
    ++(is_load ? counts->loads : counts->stores)[bytes];
}

}  // namespace

void count_accesses(std::string_view assembly, bool has_scratch, AccessCounts* counts) {
  while (!assembly.empty()) {
    const std::size_t end = std::min(assembly.find('\n'), assembly.size());
    count_line(assembly.substr(0, end), has_scratch, counts);
    assembly.remove_prefix(std::min(end + 1, assembly.size()));
  }
}

}  // namespace fusetune
