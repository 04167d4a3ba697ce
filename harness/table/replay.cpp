// A program that asks the generated header everything the table says. What it expects comes from
// the engine's own evaluation, not from the generated expressions.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "harness/table/header_names.hpp"
#include "harness/table/quote.hpp"
#include "harness/table/row_case.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

std::string dims(const std::array<std::int64_t, 3>& d) {
  return fmt::format("{{{}, {}, {}}}", d[0], d[1], d[2]);
}

class ReplayWriter {
 public:
  explicit ReplayWriter(const Table& table) : table_(table), names_(*table.family) {}

  std::string write() {
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      const TableRow& row = table_.rows[i];
      const bool first = i == 0 || table_.rows[i - 1].geometry.key() != row.geometry.key();
      const bool last =
          i + 1 == table_.rows.size() || table_.rows[i + 1].geometry.key() != row.geometry.key();
      if (first) ask_other_targets(row);
      for (const std::int64_t rows : std::set{row.rows_low, row.tuned_at, row.rows_high})
        ask_row(row, rows);
      if (last) ask_outside(row);
    }
    return fmt::format(kProgram, table_.family->name, names_.name_space(), body_);
  }

 private:
  /// `query` as a statement block; the geometry's numbers from the geometry itself.
  void set_query(const Case& which, const std::string& architecture, const std::string& device) {
    const Geometry& geometry = which.geometry;
    body_ += "  {\n    Query query;\n";
    const auto set = [&](const std::string& field, const std::string& value) {
      body_ += fmt::format("    query.{} = {};\n", field, value);
    };
    set("architecture", cpp_string(architecture));
    set("device", cpp_string(device));
    for (const auto& [name, value] : geometry.statics) {
      const auto* word = std::get_if<Enum>(&value);
      set(names_.field(name), word == nullptr ? to_string(value)
                                              : fmt::format("words::{}::{}", cpp_identifier(name),
                                                            cpp_identifier(word->name)));
    }
    for (const auto& [name, dtype] : geometry.dtypes)
      set(names_.field("dtype " + name), fmt::format("DType::{}", to_string(dtype)));
    for (const auto& [tensor, bytes] : geometry.align_bytes)
      set(names_.field("align_bytes(" + tensor + ")"), std::to_string(bytes));
    for (const auto& [tensor, elements] : which.row_strides)
      set(names_.field("row_stride(" + tensor + ")"), std::to_string(elements));
    for (const auto& [name, value] : which.runtime) set(names_.field(name), to_string(value));
  }

  std::string launches_text(const Case& which, const Variant& variant) const {
    std::string text;
    for (const Launch& launch : launches_of(which, variant, table_.target, table_.facts)) {
      text += fmt::format("{{{}, {}, {}, {}}}, ", cpp_string(launch.entry), dims(launch.grid),
                          dims(launch.block), launch.lds_bytes);
    }
    return text;
  }

  void ask_row(const TableRow& row, std::int64_t rows) {
    Case which = case_of(row.geometry, rows == kLargest ? row.tuned_at : rows);
    std::string launches;
    try {
      launches = launches_text(which, row.variant);
    } catch (const EvalError&) {
      return;  // no device takes a grid of so many rows
    }
    set_query(which, table_.target.name, table_.device);
    body_ += fmt::format("    expect(query, Quality::device, {}, {}, {}, {});\n",
                         cpp_string(row.variant.key(*table_.family)), cpp_string(row.code_identity),
                         cpp_string(row.source_hash), row.is_default);
    body_ += fmt::format("    expect_launches(query, {}, {{{}}});\n  }}\n", table_.facts.cu_count,
                         launches);
  }

  void ask_default(const Case& which, const std::string& architecture) {
    set_query(which, architecture, table_.device);
    body_ += "    expect_default(query);\n  }\n";
  }

  void ask_other_targets(const TableRow& row) {
    const Case which = case_of(row.geometry, row.tuned_at);
    for (const std::string& name : known_targets()) {
      const Target other = parse_target(name);
      if (other == table_.target) continue;
      const bool generic =
          other.platform == table_.target.platform && other.wave_size == table_.target.wave_size;
      if (!generic) {
        ask_default(which, name);
        continue;
      }
      set_query(which, name, table_.device);
      body_ += "    expect_quality(query, Quality::generic);\n  }\n";
    }
    ask_default(which, "");
    ask_default(which, "riscv");
    set_query(which, table_.target.name, "another device");
    body_ += "    expect_quality(query, Quality::architecture);\n  }\n";
  }

  void ask_outside(const TableRow& row) {
    Case which = case_of(row.geometry, row.rows_high == kLargest ? row.tuned_at : row.rows_high);
    const std::string rows = "    query." + names_.field(table_.family->rows);
    if (row.rows_high != kLargest) {
      Case above = which;
      for (auto& [name, value] : above.runtime) {
        // Symbols that follow the row count must stay within what the family supports.
        if (name == table_.family->rows) value = row.rows_high + 1;
      }
      ask_default(above, table_.target.name);
    }
    set_query(which, table_.target.name, table_.device);
    body_ += rows + " = -1;\n    expect_quality(query, Quality::unsupported);\n  }\n";
    ask_unknown_geometry(which);
  }

  void ask_unknown_geometry(const Case& which) {
    for (const auto& [name, value] : which.geometry.statics) {
      if (!std::holds_alternative<std::int64_t>(value)) continue;
      set_query(which, table_.target.name, table_.device);
      body_ += fmt::format("    query.{} += 1000003;\n    expect_no_row(query);\n  }}\n",
                           names_.field(name));
    }
  }

  static constexpr const char* kProgram = R"(// Generated by fusetune to test its header.
#include "fusetune_{0}.hpp"

#include <cstdio>
#include <initializer_list>

using namespace fusetune::{1};

namespace {{

int failures = 0;
int line = 0;

void fail(const char* what) {{
  std::printf("query %d: %s\n", line, what);
  ++failures;
}}

struct Expected {{
  std::string_view entry;
  std::int64_t grid[3], block[3];
  std::int64_t lds_bytes;
}};

void expect(const Query& query, Quality quality, std::string_view variant,
            std::string_view identity, std::string_view source, bool is_default) {{
  ++line;
  const Match match = lookup(query);
  if (match.row == nullptr) return fail("no row");
  if (match.quality != quality) fail("another quality");
  if (match.row->variant != variant) fail("another variant");
  if (match.row->code_identity != identity) fail("another code identity");
  if (match.row->source_hash != source) fail("another source");
  if (match.row->is_default != is_default) fail("default or not");
  if (match.row->define_count == 0) fail("no defines");
}}

bool equal(const Dim3& a, const std::int64_t (&b)[3]) {{
  return a.x == b[0] && a.y == b[1] && a.z == b[2];
}}

void expect_launches(const Query& query, std::int64_t cu_count,
                     std::initializer_list<Expected> expected) {{
  const Match match = lookup(query);
  if (match.row == nullptr) return;
  Facts facts;
  facts.cu_count = cu_count;
  const Expected* next = expected.begin();
  for (std::size_t i = 0; i < launch_count(*match.row); ++i) {{
    const Launch one = launch(query, *match.row, facts, i);
    if (!one.active) continue;
    if (next == expected.end()) return fail("a launch too many");
    if (one.entry != next->entry) fail("another entry");
    if (!equal(one.grid, next->grid)) fail("another grid");
    if (!equal(one.block, next->block)) fail("another block");
    if (one.lds_bytes != next->lds_bytes) fail("other LDS bytes");
    ++next;
  }}
  if (next != expected.end()) fail("a launch too few");
}}

void expect_quality(const Query& query, Quality quality) {{
  ++line;
  if (lookup(query).quality != quality) fail("another quality");
}}

void expect_default(const Query& query) {{
  ++line;
  const Match match = lookup(query);
  if (match.quality != Quality::default_row) fail("another quality than default");
  if (match.row != &default_row) fail("a row that was not measured for this");
}}

void expect_no_row(const Query& query) {{
  ++line;
  const Match match = lookup(query);
  if (match.row != nullptr && match.row != &default_row) fail("a row of another geometry");
}}

// The look-up is a constant expression.
constexpr Match of_nothing = lookup(Query{{}});
static_assert(of_nothing.row == nullptr || of_nothing.row == &default_row, "nothing is no row");

}}  // namespace

int main() {{
{2}  std::printf("%d queries, %d failures\n", line, failures);
  return line == 0 || failures != 0 ? 1 : 0;
}}
)";

  const Table& table_;
  HeaderNames names_;
  std::string body_;
};

}  // namespace

std::string replay_program(const Table& unsorted) {
  Table table = unsorted;
  normalise(table);
  return ReplayWriter(table).write();
}

}  // namespace fusetune
