#include "harness/table/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "harness/base/files.hpp"
#include "harness/table/seal.hpp"

namespace fusetune {

namespace {

[[noreturn]] void refuse(const Table& table, const std::string& what) {
  throw std::logic_error(fmt::format("table {} of {}: {}", table.family ? table.family->name : "",
                                     table.device, what));
}

std::string row_text(const TableRow& row) {
  return fmt::format("{} at [{}, {}]", row.geometry.key(), row.rows_low, row.rows_high);
}

/// A figure that is no number would break every reader of the JSON and the header.
void check_figures(const Table& table, const TableRow& row) {
  const Certificate& c = row.certificate;
  for (const double figure :
       {c.median_us, c.low_us, c.high_us, c.spread_percent, c.versus_baseline, c.versus_low,
        c.versus_high, c.regret_percent.value_or(0), c.flip_probability.value_or(0)}) {
    if (!std::isfinite(figure) || figure < 0)
      refuse(table, row_text(row) + ": a figure of its certificate is not a finite number");
  }
}

void check_variant(const Table& table, const TableRow& row) {
  const Family& family = *table.family;
  const std::string at = row_text(row);
  const ImplementationDecl* implementation = family.find_implementation(row.variant.implementation);
  if (implementation == nullptr)
    refuse(table, at + ": no implementation " + row.variant.implementation);
  if (row.is_default != (implementation->name == family.baseline))
    refuse(table, at + ": a default row names the baseline, and no other row does");
  for (const std::string& axis : implementation->axes) {
    if (row.variant.axes.count(axis) == 0) refuse(table, at + ": axis " + axis + " has no value");
  }
  for (const auto& [axis, value] : row.variant.axes) {
    if (family.find_axis(axis) == nullptr) refuse(table, at + ": unknown axis " + axis);
  }
  try {
    macros_of(row.geometry, row.variant, table.target);
  } catch (const EvalError& error) {
    refuse(table, at + ": no such variant can be compiled: " + error.what());
  }
}

void check_row(const Table& table, const TableRow& row) {
  if (!row.geometry.family || row.geometry.family->name != table.family->name)
    refuse(table, "a row of another family");
  if (row.rows_low < 0 || row.rows_high < row.rows_low)
    refuse(table, row_text(row) + ": the interval is empty");
  if (row.rows_high == std::numeric_limits<std::int64_t>::max())
    refuse(table, row_text(row) + ": the interval leaves no row count above it");
  if (row.tuned_at < row.rows_low || row.tuned_at > row.rows_high)
    refuse(table, fmt::format("{}: tuned at {}, outside", row_text(row), row.tuned_at));
  if (const std::string& data = row.provenance.data; data != "cold" && data != "hot")
    refuse(table,
           fmt::format("{}: the data state is neither cold nor hot: '{}'", row_text(row), data));
  check_variant(table, row);
  check_figures(table, row);
}

/// Intervals of one geometry follow each other without gap or overlap, from 0.
void check_cover(const Table& table) {
  const std::string* geometry = nullptr;
  std::string previous;
  std::int64_t next = 0;
  for (const TableRow& row : table.rows) {
    const std::string key = row.geometry.key();
    if (geometry == nullptr || key != previous) next = 0;
    previous = key;
    geometry = &previous;
    if (row.rows_low < next) refuse(table, row_text(row) + ": overlaps the row before it");
    if (row.rows_low > next)
      refuse(table, fmt::format("{}: nothing covers {}", row_text(row), next));
    next = row.rows_high + 1;
  }
}

}  // namespace

void normalise(Table& table) {
  if (!table.family) throw std::logic_error("a table without a family");
  if (table.rows.empty()) refuse(table, "no rows");
  for (TableRow& row : table.rows) {
    check_row(table, row);
    std::vector<std::string>& ties = row.certificate.tie_set;
    std::sort(ties.begin(), ties.end());
    ties.erase(std::unique(ties.begin(), ties.end()), ties.end());
  }
  std::vector<std::pair<std::string, TableRow>> keyed;
  for (TableRow& row : table.rows) keyed.emplace_back(row.geometry.key(), std::move(row));
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.rows_low, a.second.rows_high) <
           std::tie(b.first, b.second.rows_low, b.second.rows_high);
  });
  table.rows.clear();
  for (auto& [key, row] : keyed) table.rows.push_back(std::move(row));
  check_cover(table);
}

std::vector<std::filesystem::path> table_paths(const std::filesystem::path& results_root,
                                               const std::string& device,
                                               const std::string& family) {
  const std::filesystem::path folder = results_root / device;
  return {folder / (family + ".yaml"), folder / ("fusetune_" + family + ".hpp"),
          folder / (family + ".json"), folder / ("fusetune_" + family + "_test.cpp")};
}

std::vector<std::filesystem::path> write_table(const Table& table,
                                               const std::filesystem::path& results_root) {
  // All are made before the first is written: a failure leaves the old set whole.
  const std::string place(kSealPlace);
  Json json = to_json(table);
  json["checksum"] = place;
  const std::vector<std::string> texts{
      sealed(to_yaml(table) + "checksum: " + place + "\n"),
      sealed(to_header(table) + "// checksum: " + place + "\n"), sealed(json.dump(2) + "\n"),
      sealed(replay_program(table) + "// checksum: " + place + "\n")};
  const std::vector<std::filesystem::path> paths =
      table_paths(results_root, table.device, table.family->name);
  for (std::size_t i = 0; i < paths.size(); ++i) write_file_atomic(paths[i], texts[i]);
  return paths;
}

}  // namespace fusetune
