// The table as the file that people review and the harness reads back.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "harness/base/files.hpp"
#include "harness/spec/yaml.hpp"
#include "harness/table/quote.hpp"
#include "harness/table/seal.hpp"
#include "harness/table/table.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kFormat = 1;

std::string yaml_bool(bool value) { return value ? "true" : "false"; }

void write_head(std::string& out, const Table& table) {
  out +=
      "# Written by fusetune; the header and the JSON beside it carry the same rows. DO NOT "
      "EDIT.\n";
  if (table.target.platform == Platform::host)
    out += "# Timed on a CPU: its figures say nothing about a GPU.\n";
  out += fmt::format("table: {}\n", kFormat);
  out += fmt::format("family: {}\n", yaml_string(table.family->name));
  out += fmt::format("device: {}\n", yaml_string(table.device));
  out += fmt::format("target: {}\n", yaml_string(table.target.name));
  out += "facts:\n";
  out += fmt::format("  cu_count: {}\n", table.facts.cu_count);
  out += fmt::format("  lds_bytes_max: {}\n", table.facts.lds_bytes_max);
  out += fmt::format("  block_threads_max: {}\n", table.facts.block_threads_max);
}

std::string provenance_text(const Provenance& p) {
  return fmt::format(
      "  - harness_version: {}\n    compiler: {}\n    sweep: {}\n    data: {}\n    conditions: "
      "{}\n",
      yaml_string(p.harness_version), yaml_string(p.compiler), yaml_string(p.sweep),
      yaml_string(p.data), yaml_string(p.conditions.dump()));
}

/// Every different provenance once, sorted; rows name theirs by its place in the list.
std::vector<std::string> provenances_of(const Table& table) {
  std::set<std::string> texts;
  for (const TableRow& row : table.rows) texts.insert(provenance_text(row.provenance));
  return {texts.begin(), texts.end()};
}

void write_certificate(std::string& out, const Certificate& c) {
  out += "    certificate:\n";
  const auto number = [&](std::string_view name, std::int64_t value) {
    out += fmt::format("      {}: {}\n", name, value);
  };
  const auto figure = [&](std::string_view name, double value) {
    out += fmt::format("      {}: {}\n", name, double_text(value));
  };
  number("samples", c.samples);
  number("epochs", c.epochs);
  figure("median_us", c.median_us);
  figure("low_us", c.low_us);
  figure("high_us", c.high_us);
  figure("spread_percent", c.spread_percent);
  figure("versus_baseline", c.versus_baseline);
  figure("versus_low", c.versus_low);
  figure("versus_high", c.versus_high);
  if (c.regret_percent) figure("regret_percent", *c.regret_percent);
  if (c.flip_probability) figure("flip_probability", *c.flip_probability);
  number("candidates", c.candidates);
  out += c.tie_set.empty() ? "      tie_set: []\n" : "      tie_set:\n";
  for (const std::string& key : c.tie_set) out += fmt::format("        - {}\n", yaml_string(key));
  number("launches", c.launches);
  number("workspace_bytes", c.workspace_bytes);
  number("baseline_launches", c.baseline_launches);
  number("baseline_workspace_bytes", c.baseline_workspace_bytes);
  out += fmt::format("      proved_on: {}\n", yaml_string(c.proved_on));
  number("proofs", c.proofs);
  if (!c.batch_class.empty())
    out += fmt::format("      batch_class: {}\n", yaml_string(c.batch_class));
  if (c.search)
    out += fmt::format("      search: {{strategy: {}, seed: {}, tried: {}, variants: {}}}\n",
                       yaml_string(c.search->strategy), c.search->seed, c.search->tried,
                       c.search->variants);
}

void write_row(std::string& out, const Table& table, const TableRow& row,
               const std::vector<std::string>& provenances) {
  out += fmt::format("  - geometry: {}\n", yaml_string(row.geometry.key()));
  out += fmt::format("    rows: [{}, {}]\n", row.rows_low, row.rows_high);
  out += fmt::format("    tuned_at: {}\n", row.tuned_at);
  out += fmt::format("    variant: {}\n", yaml_string(row.variant.key(*table.family)));
  out += fmt::format("    is_default: {}\n", yaml_bool(row.is_default));
  out += fmt::format("    code_identity: {}\n", yaml_string(row.code_identity));
  out += fmt::format("    source_hash: {}\n", yaml_string(row.source_hash));
  const auto own =
      std::lower_bound(provenances.begin(), provenances.end(), provenance_text(row.provenance));
  out += fmt::format("    provenance: {}\n", own - provenances.begin());
  write_certificate(out, row.certificate);
}

SearchNote read_search_note(const YamlNode& node) {
  node.allow_keys({"strategy", "seed", "tried", "variants"}, "key of a search");
  return {node.at("strategy").as_string(), node.at("seed").as_int(), node.at("tried").as_int(),
          node.at("variants").as_int()};
}

Certificate read_certificate(const YamlNode& node) {
  node.allow_keys({"samples",
                   "epochs",
                   "median_us",
                   "low_us",
                   "high_us",
                   "spread_percent",
                   "versus_baseline",
                   "versus_low",
                   "versus_high",
                   "regret_percent",
                   "flip_probability",
                   "candidates",
                   "tie_set",
                   "launches",
                   "workspace_bytes",
                   "baseline_launches",
                   "baseline_workspace_bytes",
                   "proved_on",
                   "proofs",
                   "batch_class",
                   "search"},
                  "key of a certificate");
  Certificate c;
  c.samples = node.at("samples").as_int();
  c.epochs = node.at("epochs").as_int();
  c.median_us = node.at("median_us").as_double();
  c.low_us = node.at("low_us").as_double();
  c.high_us = node.at("high_us").as_double();
  c.spread_percent = node.at("spread_percent").as_double();
  c.versus_baseline = node.at("versus_baseline").as_double();
  c.versus_low = node.at("versus_low").as_double();
  c.versus_high = node.at("versus_high").as_double();
  if (const auto regret = node.find("regret_percent")) c.regret_percent = regret->as_double();
  if (const auto flip = node.find("flip_probability")) c.flip_probability = flip->as_double();
  c.candidates = node.at("candidates").as_int();
  for (const YamlNode& key : node.at("tie_set").items()) c.tie_set.push_back(key.as_string());
  c.launches = node.at("launches").as_int();
  c.workspace_bytes = node.at("workspace_bytes").as_int();
  c.baseline_launches = node.at("baseline_launches").as_int();
  c.baseline_workspace_bytes = node.at("baseline_workspace_bytes").as_int();
  c.proved_on = node.at("proved_on").as_string();
  c.proofs = node.at("proofs").as_int();
  if (const auto batch_class = node.find("batch_class")) c.batch_class = batch_class->as_string();
  if (const auto search = node.find("search")) c.search = read_search_note(*search);
  return c;
}

/// Reads the text of a node; what is wrong with it is said at its place.
template <class Read>
auto read_text(const YamlNode& node, Read read) {
  const std::string text = node.as_string();
  try {
    return read(text);
  } catch (const UserError& error) {
    node.fail(error.what());
  }
}

TableRow read_row(const YamlNode& node, const Family& family,
                  const std::vector<Provenance>& provenances) {
  node.allow_keys({"geometry", "rows", "tuned_at", "variant", "is_default", "code_identity",
                   "source_hash", "provenance", "certificate"},
                  "key of a row");
  TableRow row;
  row.geometry = read_text(node.at("geometry"), parse_geometry_key);
  const std::vector<YamlNode> rows = node.at("rows").items();
  if (rows.size() != 2) node.at("rows").fail("rows are [low, high]");
  row.rows_low = rows[0].as_int();
  row.rows_high = rows[1].as_int();
  row.tuned_at = node.at("tuned_at").as_int();
  row.variant = read_text(node.at("variant"), [&family](const std::string& key) {
    return parse_variant_key(family, key);
  });
  row.is_default = node.at("is_default").as_bool();
  row.code_identity = node.at("code_identity").as_string();
  row.source_hash = node.at("source_hash").as_string();
  const YamlNode provenance = node.at("provenance");
  const std::int64_t place = provenance.as_int();
  if (place < 0 || place >= std::ssize(provenances))
    provenance.fail(fmt::format("there are {} provenances", provenances.size()));
  row.provenance = provenances[static_cast<std::size_t>(place)];
  row.certificate = read_certificate(node.at("certificate"));
  return row;
}

void read_facts(const YamlNode& node, DeviceFacts& facts) {
  node.allow_keys({"cu_count", "lds_bytes_max", "block_threads_max"}, "fact");
  facts.cu_count = node.at("cu_count").as_int();
  facts.lds_bytes_max = node.at("lds_bytes_max").as_int();
  facts.block_threads_max = node.at("block_threads_max").as_int();
}

Provenance read_provenance(const YamlNode& node) {
  node.allow_keys({"harness_version", "compiler", "sweep", "data", "conditions"},
                  "key of a provenance");
  Provenance provenance;
  provenance.harness_version = node.at("harness_version").as_string();
  provenance.compiler = node.at("compiler").as_string();
  provenance.sweep = node.at("sweep").as_string();
  provenance.data = node.at("data").as_string();
  provenance.conditions = node.at("conditions").as_json("the conditions");
  return provenance;
}

}  // namespace

std::string to_yaml(const Table& table) {
  Table sorted = table;
  normalise(sorted);
  std::string out;
  write_head(out, sorted);
  out += "provenances:\n";
  const std::vector<std::string> provenances = provenances_of(sorted);
  for (const std::string& provenance : provenances) out += provenance;
  out += "rows:\n";
  for (const TableRow& row : sorted.rows) write_row(out, sorted, row, provenances);
  return out;
}

namespace {

Table read_table(const std::string& text, const std::string& name) {
  const YamlNode root = YamlNode::parse(text, name);
  if (!root.is_map()) root.fail("a table is a map");
  root.allow_keys(
      {"table", "family", "device", "target", "facts", "provenances", "rows", "checksum"},
      "key of a table");
  if (const auto checksum = root.find("checksum"))
    if (const std::string problem = seal_problem(text); !problem.empty())
      checksum->fail(problem +
                     "; restore the file, or delete it and tune again (what is in the store is not "
                     "done again)");
  if (const YamlNode format = root.at("table"); format.as_int() != kFormat)
    format.fail(fmt::format("this version reads tables of format {}", kFormat));
  Table table;
  table.family = read_text(root.at("family"), find_family);
  table.device = root.at("device").as_string();
  table.target = read_text(root.at("target"), parse_target);
  read_facts(root.at("facts"), table.facts);
  std::vector<Provenance> provenances;
  for (const YamlNode& node : root.at("provenances").items())
    provenances.push_back(read_provenance(node));
  for (const YamlNode& row : root.at("rows").items())
    table.rows.push_back(read_row(row, *table.family, provenances));
  try {
    normalise(table);
  } catch (const std::logic_error& error) {
    root.at("rows").fail(error.what());
  }
  return table;
}

}  // namespace

Table table_from_yaml(const std::filesystem::path& file) {
  return read_table(read_file(file), display_path(file));
}

Table parse_table(std::string_view text, const std::string& name) {
  return read_table(std::string(text), name);
}

}  // namespace fusetune
