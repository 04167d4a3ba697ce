#include <fmt/format.h>

#include <algorithm>
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

/// "VGPR 12 to 64", of all variants.
std::string range_text(const TargetFacts& facts, const FactColumn& column) {
  std::int64_t low = 0, high = 0;
  bool any = false;
  for (const FactsRow& row : facts.rows)
    if (const auto& value = row.kernel.*column.fact) {
      low = any ? std::min(low, *value) : *value;
      high = any ? std::max(high, *value) : *value;
      any = true;
    }
  return low == high ? fmt::format("{} {}", column.name, low)
                     : fmt::format("{} {} to {}", column.name, low, high);
}

std::string facts_table(const TargetFacts& facts, const std::string& caption, bool chosen_alone) {
  const std::vector<FactColumn> known = known_columns(facts);
  std::vector<HtmlTable::Column> columns;
  for (const FactColumn& column : known) columns.push_back({column.name, Kind::number});
  for (const char* name : {"loads per lane", "stores per lane", "kernel", "variant", "geometry"})
    columns.push_back({name, Kind::text});
  HtmlTable table(caption, std::move(columns));
  for (const FactsRow& row : facts.rows) {
    if (chosen_alone && !row.chosen) continue;
    std::vector<std::string> cells;
    for (const FactColumn& column : known) {
      const auto& value = row.kernel.*column.fact;
      cells.push_back(value ? std::to_string(*value) : "");
    }
    cells.push_back(escaped(widths_text(row.kernel.global_loads)));
    cells.push_back(escaped(widths_text(row.kernel.global_stores)));
    cells.push_back(key_html(row.kernel.entry));
    cells.push_back(key_html(row.variant));
    cells.push_back(key_html(row.geometry));
    table.add(std::move(cells), spills(row) ? "bad" : row.chosen ? "chosen" : "");
  }
  return table.is_empty() ? "" : table.html();
}

std::string target_html(const TargetFacts& facts) {
  std::string ranges;
  for (const FactColumn& column : known_columns(facts))
    ranges += (ranges.empty() ? "" : ", ") + range_text(facts, column);
  const auto spilling = std::count_if(facts.rows.begin(), facts.rows.end(), spills);
  std::string html = fmt::format("<h3>{} <span class=\"soft\">for {}</span></h3>\n",
                                 escaped(facts.family), escaped(facts.target));
  html +=
      note_html(fmt::format("{} kernels, {}: {}. {}", facts.rows.size(), facts.compiler,
                            ranges.empty() ? "no figures of this target" : ranges,
                            spilling == 0 ? "None spills." : fmt::format("{} spill.", spilling)));
  html += facts_table(facts, fmt::format("Chosen kernels of {} for {}", facts.family, facts.target),
                      true);
  html += details_html(
      fmt::format("All {}", facts.rows.size()),
      facts_table(facts, fmt::format("All kernels of {} for {}", facts.family, facts.target),
                  false));
  return html;
}

}  // namespace

std::string facts_section(const Report& report) {
  std::string html = "<section id=\"facts\"><h2>Facts per target</h2>\n";
  if (report.facts.empty())
    return html + note_html("The store holds no compiled code.") + "</section>\n";
  html += note_html(
      "What the code objects say of themselves. A target that does not know a figure has no column "
      "for it; rows that spill are marked.");
  for (const TargetFacts& facts : report.facts) html += target_html(facts);
  return html + "</section>\n";
}

}  // namespace fusetune
