// vLLM's and SGLang's configurations: a file per geometry and device, which maps token counts to
// the parameters of a kernel.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "harness/base/hash.hpp"
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
/// Where that is longer than a file's name, a hash of the geometry's key stands for what varies.
std::string config_name(const Table& table, const Geometry& geometry, bool by_hash = false) {
  std::vector<std::string> parts;
  if (by_hash) parts.push_back("geometry=" + hash_hex(geometry.key()));
  for (const auto& [name, value] : geometry.statics)
    if (!by_hash) parts.push_back(name + "=" + to_string(value));
  for (const auto& [tensor, bytes] : geometry.align_bytes)
    if (!by_hash) parts.push_back(fmt::format("align_{}={}", tensor, bytes));
  parts.push_back("device_name=" + without_blanks(table.device));
  for (const auto& [name, dtype] : geometry.dtypes)
    parts.push_back(
        fmt::format("{}={}", name == "act" ? "dtype" : "dtype_" + name, to_string(dtype)));
  const std::string stem = fmt::format("{}", fmt::join(parts, ","));
  if (stem.size() > kFileStemMax && !by_hash) return config_name(table, geometry, true);
  return stem + ".json";
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
  std::map<std::string, Json> indices;  // of names that are hashes, by folder
  for (const Table& table : tables)
    for (const TableRow& row : table.rows) {
      const std::string file = config_name(table, row.geometry);
      if (file.starts_with("geometry="))
        indices[folder(table, row) + "geometries.json"][file] = row.geometry.key();
      const std::string name = folder(table, row) + file;
      files[name][std::to_string(row.tuned_at)] = config_of(table, row);
      ++out.entries;
    }
  files.merge(indices);
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
