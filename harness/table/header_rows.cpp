// The rows themselves.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/table/header_parts.hpp"
#include "harness/table/quote.hpp"

namespace fusetune {

namespace {

std::string axis_text(const AxisDecl& axis, const Variant& variant) {
  const auto value = variant.axes.find(axis.name);
  if (value == variant.axes.end()) return "{}";
  if (!is_enumerated(axis)) return to_string(value->second);
  return fmt::format("words::{}::{}", cpp_identifier(axis.name),
                     cpp_identifier(to_string(value->second)));
}

std::string axes_text(const Family& family, const Variant& variant) {
  std::vector<std::string> values;
  for (const AxisDecl& axis : family.axes) values.push_back(axis_text(axis, variant));
  return fmt::format("{{{}}}", fmt::join(values, ", "));
}

std::string certificate_text(const Certificate& c) {
  const auto figure = [](double value) { return double_text(value); };
  return fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}}",
                     c.samples, c.epochs, c.candidates, c.tie_set.size(), figure(c.median_us),
                     figure(c.low_us), figure(c.high_us), figure(c.spread_percent),
                     figure(c.versus_baseline), figure(c.versus_low), figure(c.versus_high),
                     c.launches, c.baseline_launches, c.workspace_bytes, c.baseline_workspace_bytes,
                     c.proofs, cpp_string(c.proved_on), cpp_string(c.batch_class));
}

std::string comment_of(const Family& family, const TableRow& row) {
  const Certificate& c = row.certificate;
  std::string text = fmt::format(
      "    // {} {}..{}: {:.4g} us [{:.4g}, {:.4g}] at {}, {:.3g}x the baseline [{:.3g}, {:.3g}], "
      "{} candidates{}, {} tied, {}\n",
      family.rows, row.rows_low, row.rows_high, c.median_us, c.low_us, c.high_us, row.tuned_at,
      c.versus_baseline, c.versus_low, c.versus_high, c.candidates,
      c.search ? comment_text(fmt::format(" ({} search, {} of {} variants tried)",
                                          c.search->strategy, c.search->tried, c.search->variants))
               : "",
      c.tie_set.size(),
      comment_text(c.proved_on.empty() ? "no proof recorded" : "proved on " + c.proved_on));
  for (const std::string& tie : c.tie_set)
    text += fmt::format("    //   tied: {}\n", comment_text(tie));
  return text;
}

/// Define lists by content: rows of one geometry and variant share one.
class DefineLists {
 public:
  std::pair<std::string, std::size_t> add(const TableRow& row, const Target& target) {
    const auto macros = macros_of(row.geometry, row.variant, target);
    std::string body;
    for (const auto& [name, value] : macros)
      body += fmt::format("    {{{}, {}}},\n", cpp_string(name), cpp_string(value));
    const auto [place, added] = names_.emplace(body, fmt::format("defines_{}", names_.size()));
    if (added)
      out_ += fmt::format("inline constexpr Define {}[] = {{\n{}}};\n", place->second, body);
    return {place->second, macros.size()};
  }
  const std::string& text() const { return out_; }

 private:
  std::map<std::string, std::string> names_;
  std::string out_;
};

std::string row_text(const Table& table, const HeaderNames& names, const TableRow& row,
                     DefineLists& lists) {
  const Family& family = *table.family;
  const auto [defines, count] = lists.add(row, table.target);
  return fmt::format(
      "    {{{}, {}, {}, {}, Implementation::{}, {}, {},\n     {}, {}, {}, {},\n     {}, {}, "
      "{}, {}}},\n",
      row.rows_low, row.rows_high, row.tuned_at, row.is_default,
      names.implementation(row.variant.implementation), axes_text(family, row.variant),
      cpp_string(row.variant.key(family)), cpp_string(row.source_hash),
      cpp_string(row.code_identity), defines, count, certificate_text(row.certificate),
      cpp_string(row.provenance.data), cpp_string(row.provenance.compiler),
      cpp_string(row.geometry.key()));
}

std::string default_row(const HeaderNames& names) {
  const Family& family = names.family();
  const ImplementationDecl& baseline = *family.find_implementation(family.baseline);
  const Variant variant{baseline.name, baseline.fixed};
  return fmt::format(
      "/// The baseline, for everything that the table does not answer.\n"
      "inline constexpr Row default_row = {{0, INT64_MAX, 0, true, Implementation::{}, {},\n"
      "                                    {}, {{}}, {{}}, nullptr, 0, {{}}}};\n",
      names.implementation(baseline.name), axes_text(family, variant),
      cpp_string(variant.key(family)));
}

struct GeometryText {
  std::string key_comment, body;
  std::vector<std::int64_t> key;
};

}  // namespace

std::string header_rows(const Table& table, const HeaderNames& names) {
  // The order of keys as numbers is that of the binary search, not that of their text.
  std::map<std::vector<std::int64_t>, std::vector<const TableRow*>> geometries;
  for (const TableRow& row : table.rows) geometries[names.key_of(row.geometry)].push_back(&row);
  DefineLists lists;
  std::string rows, keys;
  std::size_t first = 0;
  for (const auto& [key, members] : geometries) {
    const std::string name = comment_text(members.front()->geometry.key());
    rows += fmt::format("    // {}\n", name);
    for (const TableRow* row : members) {
      rows += comment_of(*table.family, *row) + row_text(table, names, *row, lists);
    }
    keys += fmt::format("    {{{{{{{}}}}}, {}, {}}},  // {}\n", fmt::join(key, ", "), first,
                        members.size(), name);
    first += members.size();
  }
  return fmt::format(
      "namespace detail {{\n{}\n"
      "struct Geometry {{\n  Key key;\n  std::size_t first_row, row_count;\n}};\n\n"
      "inline constexpr Row rows[] = {{\n{}}};\n\n"
      "// Sorted by key: {} numbers, in the order of key_of.\n"
      "inline constexpr Geometry geometries[] = {{\n{}}};\n"
      "}}  // namespace detail\n\n{}",
      lists.text(), rows, names.key_parts().size(), keys, default_row(names));
}

}  // namespace fusetune
