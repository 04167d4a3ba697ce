// Kernel Launcher's wisdom: a file per geometry, a line per row of a table.

#include <fmt/format.h>

#include <map>

#include "harness/base/hash.hpp"
#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"

namespace fusetune {

namespace {

constexpr double kUsPerWisdomUnit = 1000;  // its times are milliseconds

/// Its reader wants every parameter of the kernel in the header, and nothing else.
std::vector<std::string> parameters_of_tuned(const Family& family) {
  return family.find_implementation(family.tuned)->axes;
}

/// Its reader looks for a file named by the tuning key, whatever its length: a geometry whose key
/// is too long for a file gets another.
std::string tuning_key_of(const Geometry& geometry) {
  const std::string key = geometry.key();
  return key.size() <= kFileStemMax ? key : geometry.family->name + "-" + hash_hex(key);
}

std::string header_line(const Family& family, const std::string& key, const std::string& geometry) {
  return json_line({{"version", "1.0"},
                    {"objective", "time"},
                    {"tunable_parameters", parameters_of_tuned(family)},
                    {"key", key},
                    {"x_fusetune", {{"geometry", geometry}}}});
}

std::string row_line(const Table& table, const TableRow& row) {
  Json config = Json::array();
  for (const std::string& axis : parameters_of_tuned(*table.family))
    config.push_back(value_json(row.variant.axes.at(axis)));
  return json_line({{"config", std::move(config)},
                    {"problem_size", {row.tuned_at}},
                    {"time", row.certificate.median_us / kUsPerWisdomUnit},
                    {"environment",
                     {{"device_name", table.device},
                      {"target", table.target.name},
                      {"compiler", row.provenance.compiler},
                      {"data", row.provenance.data},
                      {"harness_version", row.provenance.harness_version}}},
                    {"x_fusetune",
                     {{"rows", {row.rows_low, row.rows_high}},
                      {"code_identity", row.code_identity},
                      {"source_hash", row.source_hash}}}});
}

}  // namespace

Export to_wisdom(const std::vector<Table>& tables) {
  Export out;
  std::map<std::string, std::string> files;  // several devices share a geometry's file
  for (const Table& table : tables)
    for (const TableRow& row : table.rows) {
      const std::string key = row.geometry.key();
      // The lines that its reader would find are those of one kernel.
      if (row.variant.implementation != table.family->tuned) {
        out.left_out.push_back(fmt::format(
            "{} {}..{} on {}: it names {}, and wisdom has one kernel; its reader will take the "
            "nearest row instead",
            key, row.rows_low, row.rows_high, table.device, row.variant.implementation));
        continue;
      }
      const std::string tuning_key = tuning_key_of(row.geometry);
      std::string& text = files[tuning_key];
      if (text.empty()) text = header_line(*table.family, tuning_key, key) + "\n";
      text += row_line(table, row) + "\n";
      ++out.entries;
    }
  for (auto& [key, text] : files)
    out.files.push_back({file_word(key) + ".wisdom", std::move(text)});
  return out;
}

}  // namespace fusetune
