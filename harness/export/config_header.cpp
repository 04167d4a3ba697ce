// A C++17 header in the manner of rocPRIM's generated configurations: every entry has comments that
// a program can read back, and targets fall back from GPU to architecture to generation.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "harness/base/files.hpp"
#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"
#include "harness/table/quote.hpp"

namespace fusetune {

namespace {

const char* representation_of(const Target& target) {
  switch (target.platform) {
    case Platform::amd:
      return "amdgcn";
    case Platform::nvidia:
      return "nvptx";
    default:
      return "host";
  }
}

std::string target_comment(const Table& table) {
  return "// TARGET: " +
         comment_text(json_line({{"gen", std::string(generation_of(table.target))},
                                 {"arch", table.target.name},
                                 {"gpu", table.device},
                                 {"rep", representation_of(table.target)}})) +
         "\n";
}

std::string config_comment(const Table& table, const TableRow& row) {
  const Json config{{"geometry", row.geometry.key()},
                    {"rows_low", row.rows_low},
                    {"rows_high", row.rows_high},
                    {"tuned_at", row.tuned_at},
                    {"implementation", row.variant.implementation},
                    {"config", configuration_json(*table.family, row.variant)},
                    {"time_us", row.certificate.median_us},
                    {"low_us", row.certificate.low_us},
                    {"high_us", row.certificate.high_us},
                    {"versus_baseline", row.certificate.versus_baseline},
                    {"data", row.provenance.data},
                    {"source_hash", row.source_hash},
                    {"code_identity", row.code_identity}};
  return "    // CONFIG: " + comment_text(json_line(config)) + "\n";
}

/// A member per axis; a word is a string, as axes of several families share no enumeration.
std::string params_type(const Family& family) {
  std::string text = fmt::format("struct {}_config_params {{\n", cpp_identifier(family.name));
  text += "  const char* implementation;\n";
  for (const AxisDecl& axis : family.axes)
    text += std::holds_alternative<Enum>(axis.values.front())
                ? fmt::format("  const char* {} = \"\";\n", cpp_identifier(axis.name))
                : fmt::format("  long long {} = 0;\n", cpp_identifier(axis.name));
  return text + "};\n";
}

std::string params_value(const Family& family, const Variant& variant) {
  std::vector<std::string> values{cpp_string(variant.implementation)};
  for (const AxisDecl& axis : family.axes) {
    const bool word = std::holds_alternative<Enum>(axis.values.front());
    const auto value = variant.axes.find(axis.name);
    if (value == variant.axes.end())
      values.emplace_back(word ? "\"\"" : "0");
    else
      values.push_back(word ? cpp_string(to_string(value->second)) : to_string(value->second));
  }
  return fmt::format("{{{}}}", fmt::join(values, ", "));
}

std::string rows_of(const Table& table, std::size_t number) {
  const std::string type = cpp_identifier(table.family->name) + "_config_entry";
  std::string text = target_comment(table);
  text += fmt::format("inline constexpr {} entries_{}[] = {{\n", type, number);
  for (const TableRow& row : table.rows)
    text += config_comment(table, row) +
            fmt::format("    {{{}, {}, {}, {}}},\n", cpp_string(row.geometry.key()), row.rows_low,
                        row.rows_high, params_value(*table.family, row.variant));
  return text + "};\n";
}

constexpr const char* kEntryType = R"(
struct {0}_config_entry {{
  std::string_view geometry;
  long long rows_low, rows_high;
  {0}_config_params params;
}};
)";

constexpr const char* kPicker = R"(
/// The entry for a target, or nullptr: first that of the GPU, then one of its architecture, then
/// one of its generation. Times of a CPU answer for that CPU's target alone.
constexpr const {0}_config_params* {0}_config_picker(
    std::string_view generation, std::string_view architecture, std::string_view gpu,
    std::string_view geometry, long long rows) {{
  for (int fallback = 0; fallback < 3; ++fallback)
    for (const {0}_config_target& target : {0}_targets) {{
      const bool same = fallback == 0   ? target.architecture == architecture && target.gpu == gpu
                        : fallback == 1 ? target.architecture == architecture
                                        : target.generation == generation &&
                                              generation != std::string_view("unknown");
      if (!same) continue;
      for (std::size_t i = 0; i < target.count; ++i) {{
        const {0}_config_entry& entry = target.entries[i];
        if (entry.geometry == geometry && rows >= entry.rows_low && rows <= entry.rows_high)
          return &entry.params;
      }}
    }}
  return nullptr;
}}
)";

std::string targets_of(const std::string& name, const std::vector<const Table*>& tables) {
  std::string text = fmt::format(
      "\nstruct {0}_config_target {{\n  std::string_view generation, architecture, gpu;\n"
      "  const {0}_config_entry* entries;\n  std::size_t count;\n}};\n"
      "inline constexpr {0}_config_target {0}_targets[] = {{\n",
      name);
  for (std::size_t i = 0; i < tables.size(); ++i)
    text += fmt::format("    {{{}, {}, {}, entries_{}, {}}},\n",
                        cpp_string(generation_of(tables[i]->target)),
                        cpp_string(tables[i]->target.name), cpp_string(tables[i]->device), i,
                        tables[i]->rows.size());
  return text + "};\n";
}

std::string header_of(const std::vector<const Table*>& tables) {
  const Family& family = *tables.front()->family;
  const std::string name = cpp_identifier(family.name);
  std::string text = fmt::format(
      "// DO NOT EDIT: generated by fusetune {}, in the manner of rocPRIM's configurations.\n"
      "// Comments that begin with TARGET: and CONFIG: hold JSON; they read back with\n"
      "// fusetune import --format rocprim-header.\n"
      "#pragma once\n\n#include <cstddef>\n#include <string_view>\n\n"
      "namespace fusetune_configs {{\n\n",
      comment_text(harness_version()));
  text += params_type(family) + fmt::format(kEntryType, name) + "\n";
  for (std::size_t i = 0; i < tables.size(); ++i) text += rows_of(*tables[i], i);
  text += targets_of(name, tables) + fmt::format(kPicker, name);
  return text + "\n}  // namespace fusetune_configs\n";
}

}  // namespace

Export to_config_header(const std::vector<Table>& tables) {
  Export out;
  std::map<std::string, std::vector<const Table*>> families;
  for (const Table& table : tables) {
    families[table.family->name].push_back(&table);
    out.entries += std::ssize(table.rows);
  }
  for (const auto& [name, of_family] : families)
    out.files.push_back({"fusetune_" + file_word(name) + "_config.hpp", header_of(of_family)});
  return out;
}

}  // namespace fusetune
