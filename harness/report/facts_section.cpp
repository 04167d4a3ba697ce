#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "harness/report/escape.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;
using Fact = std::optional<std::int64_t> KernelFacts::*;

struct FactColumn {
  const char* name;
  Fact fact;
};
constexpr FactColumn kFacts[] = {{"VGPR", &KernelFacts::vgpr},
                                 {"AGPR", &KernelFacts::agpr},
                                 {"SGPR", &KernelFacts::sgpr},
                                 {"VGPR spills", &KernelFacts::vgpr_spills},
                                 {"SGPR spills", &KernelFacts::sgpr_spills},
                                 {"scratch bytes", &KernelFacts::scratch_bytes},
                                 {"LDS bytes", &KernelFacts::lds_bytes},
                                 {"waves per SIMD", &KernelFacts::occupancy_waves},
                                 {"code bytes", &KernelFacts::code_bytes}};

/// "16 B x 4, 8 B x 1"
std::string widths_text(const std::vector<std::pair<std::int64_t, std::int64_t>>& widths) {
  std::string text;
  for (auto one = widths.rbegin(); one != widths.rend(); ++one)
    text += fmt::format("{}{} B \xC3\x97 {}", text.empty() ? "" : ", ", one->first, one->second);
  return text;
}

/// Columns that any of the rows knows.
std::vector<FactColumn> known_columns(const TargetFacts& facts) {
  std::vector<FactColumn> columns;
  for (const FactColumn& column : kFacts)
    if (std::any_of(facts.rows.begin(), facts.rows.end(), [&column](const FactsRow& row) {
          return (row.kernel.*column.fact).has_value();
        }))
      columns.push_back(column);
  return columns;
}

bool spills(const FactsRow& row) {
  return row.kernel.vgpr_spills.value_or(0) + row.kernel.sgpr_spills.value_or(0) +
             row.kernel.scratch_bytes.value_or(0) >
         0;
}

/// "12 to 64" of all kernels; "" where none knows it.
std::string range_text(const TargetFacts& facts, const FactColumn& column) {
  std::int64_t low = 0, high = 0;
  bool any = false;
  for (const FactsRow& row : facts.rows)
    if (const auto& value = row.kernel.*column.fact) {
      low = any ? std::min(low, *value) : *value;
      high = any ? std::max(high, *value) : *value;
      any = true;
    }
  if (!any) return "";
  return low == high ? std::to_string(low) : fmt::format("{} to {}", low, high);
}

/// All kernels of a family, the chosen ones first.
std::string kernels_table(const TargetFacts& facts) {
  const std::vector<FactColumn> known = known_columns(facts);
  std::vector<HtmlTable::Column> columns;
  for (const FactColumn& column : known) columns.push_back({column.name, Kind::number});
  for (const char* name : {"loads per lane", "stores per lane", "kernel"})
    columns.push_back({name, Kind::text});
  columns.push_back({"variant", Kind::key});
  columns.push_back({"geometry", Kind::text});
  HtmlTable table(fmt::format("Kernels of {} for {}", facts.family, facts.target),
                  std::move(columns));
  std::vector<const FactsRow*> rows;
  for (const FactsRow& row : facts.rows) rows.push_back(&row);
  std::stable_partition(rows.begin(), rows.end(), [](const FactsRow* row) { return row->chosen; });
  for (const FactsRow* row : rows) {
    std::vector<std::string> cells;
    for (const FactColumn& column : known) {
      const auto& value = row->kernel.*column.fact;
      cells.push_back(value ? std::to_string(*value) : "");
    }
    cells.push_back(escaped(widths_text(row->kernel.global_loads)));
    cells.push_back(escaped(widths_text(row->kernel.global_stores)));
    cells.push_back(key_html(row->kernel.entry));
    cells.push_back(key_html(row->variant));
    cells.push_back(key_html(row->geometry));
    table.add(std::move(cells), spills(*row) ? "bad" : row->chosen ? "chosen" : "");
  }
  return table.html();
}

/// One line per family, and beneath it every kernel.
std::string target_html(const std::vector<const TargetFacts*>& families) {
  const std::string& target = families.front()->target;
  std::vector<FactColumn> known;
  for (const FactColumn& column : kFacts)
    if (std::any_of(families.begin(), families.end(), [&column](const TargetFacts* facts) {
          return !range_text(*facts, column).empty();
        }))
      known.push_back(column);
  std::vector<HtmlTable::Column> columns{{"family", Kind::text}, {"kernels", Kind::number}};
  for (const FactColumn& column : known) columns.push_back({column.name, Kind::number});
  columns.push_back({"that spill", Kind::number});
  HtmlTable table("Families for " + target, std::move(columns));
  std::string kernels;
  for (const TargetFacts* facts : families) {
    std::vector<std::string> cells{escaped(facts->family), std::to_string(facts->rows.size())};
    for (const FactColumn& column : known) cells.push_back(range_text(*facts, column));
    const auto spilling = std::count_if(facts->rows.begin(), facts->rows.end(), spills);
    cells.push_back(std::to_string(spilling));
    table.add(std::move(cells));
    kernels += details_html(fmt::format("Kernels of {}", facts->family), kernels_table(*facts));
  }
  return fmt::format("<h3>{}</h3>\n", escaped(target)) + note_html(families.front()->compiler) +
         table.html() + kernels;
}

}  // namespace

std::string facts_section(const Report& report) {
  std::string html = "<section id=\"facts\"><h2>Facts per target</h2>\n";
  if (report.facts.empty())
    return html + note_html("The store holds no compiled code.") + "</section>\n";
  html += note_html(
      "What the code objects say of themselves. A target that does not know a figure has no column "
      "for it; kernels of chosen variants come first, and those that spill are marked.");
  std::map<std::string, std::vector<const TargetFacts*>> targets;
  for (const TargetFacts& facts : report.facts) targets[facts.target].push_back(&facts);
  for (const auto& [target, families] : targets) html += target_html(families);
  return html + "</section>\n";
}

}  // namespace fusetune
