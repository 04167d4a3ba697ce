// vLLM's and SGLang's configurations: a file per geometry and device, which maps token counts to
// the parameters of a kernel.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "harness/export/export_format.hpp"
#include "harness/export/export_text.hpp"

namespace fusetune {

namespace {

std::string without_blanks(std::string text) {
  std::replace(text.begin(), text.end(), ' ', '_');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

/// "nk=2,nv=6,...,device_name=AMD_Instinct_MI300X,dtype=bf16": what varies, then the device, then
/// the type of the elements, as their files are named. The parts of a key are names of our own.
std::string config_name(const Table& table, const Geometry& geometry) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : geometry.statics) parts.push_back(name + "=" + to_string(value));
  for (const auto& [tensor, bytes] : geometry.align_bytes)
    parts.push_back(fmt::format("align_{}={}", tensor, bytes));
  parts.push_back("device_name=" + without_blanks(table.device));
  for (const auto& [name, dtype] : geometry.dtypes)
    parts.push_back(
        fmt::format("{}={}", name == "act" ? "dtype" : "dtype_" + name, to_string(dtype)));
  return fmt::format("{}.json", fmt::join(parts, ","));
}

Json config_of(const Table& table, const TableRow& row) {
  Json config = configuration_json(*table.family, row.variant);
  // Parameters of one kernel say nothing of another.
  if (row.variant.implementation != table.family->tuned)
    config["implementation"] = row.variant.implementation;
  return config;
}

/// `folder` is before the file's name.
Export configs(const std::vector<Table>& tables, const auto& folder) {
  Export out;
  std::map<std::string, Json> files;
  for (const Table& table : tables)
    for (const TableRow& row : table.rows) {
      const std::string name = folder(table, row) + config_name(table, row.geometry);
      files[name][std::to_string(row.tuned_at)] = config_of(table, row);
      ++out.entries;
    }
  for (const auto& [name, json] : files) out.files.push_back({name, json_text(json)});
  return out;
}

}  // namespace

Export to_vllm_json(const std::vector<Table>& tables) {
  return configs(tables, [](const Table& table, const TableRow&) {
    return file_word(table.family->name) + "/";
  });
}

Export to_sglang_json(const std::vector<Table>& tables) {
  // Its readers look for the compiler's version first, and fall back to older ones.
  return configs(tables, [](const Table& table, const TableRow& row) {
    return fmt::format("{}/configs/{}/", file_word(table.family->name),
                       file_stem(row.provenance.compiler));
  });
}

}  // namespace fusetune
