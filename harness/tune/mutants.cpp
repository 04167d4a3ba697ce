#include "harness/tune/selftest.hpp"

#include "harness/base/error.hpp"
#include "harness/spec/yaml.hpp"

namespace fusetune {

namespace {

/// A mutant names the axes that matter to it; the others take their first, simplest values that the
/// constraints allow.
Variant complete_variant(const Case& which, const YamlNode& node) {
  const Family& family = *which.geometry.family;
  SweepEntry entry;
  entry.family = which.geometry.family;
  for (const auto& [axis, value] : node.entries()) {
    const AxisDecl* declared = family.find_axis(axis.as_string());
    if (declared == nullptr) axis.fail("unknown axis '" + axis.as_string() + "'");
    if (std::holds_alternative<std::int64_t>(declared->values.front()))
      entry.axes[declared->name] = {value.as_int()};
    else
      entry.axes[declared->name] = {Enum{value.as_string()}};
  }
  std::vector<Pruned> pruned;
  return enumerate_variants(which.geometry, *family.find_implementation(family.tuned),
                            parse_target("host-w64"), entry, SpaceChoice{}, &pruned)
      .front();
}

Mutant read_mutant(const YamlNode& node) {
  node.allow_keys(
      {"name", "about", "file", "replace", "with", "launch", "case", "variant", "killed_by"},
      "key of a mutant");
  Mutant mutant;
  mutant.mark = node.mark();
  mutant.name = node.at("name").as_string();
  mutant.about = node.at("about").as_string();
  if (const auto file = node.find("file")) {
    mutant.file = file->as_string();
    mutant.replace = node.at("replace").as_string();
    mutant.with = node.at("with").as_string();
  }
  if (const auto launch = node.find("launch")) {
    launch->allow_keys({"blocks", "blocks_less"}, "change of a launch");
    if (const auto blocks = launch->find("blocks")) mutant.launch.blocks = blocks->as_int();
    if (const auto less = launch->find("blocks_less")) mutant.launch.blocks_less = less->as_int();
  }
  if (mutant.file.empty() && !mutant.launch.any())
    node.fail("a mutant changes something: give 'file' with 'replace' and 'with', or 'launch'");
  mutant.which = parse_case_key(node.at("case").as_string());
  mutant.variant = complete_variant(mutant.which, node.at("variant"));
  for (const YamlNode& check : node.at("killed_by").items())
    mutant.killed_by.push_back(check.as_string());
  return mutant;
}

}  // namespace

std::vector<Mutant> load_mutants(const std::filesystem::path& file) {
  const YamlNode root = YamlNode::load(file);
  root.allow_keys({"family", "mutants"}, "key of a mutants file");
  find_family(root.at("family").as_string());
  std::vector<Mutant> mutants;
  for (const YamlNode& node : root.at("mutants").items()) mutants.push_back(read_mutant(node));
  if (mutants.empty()) root.fail("a mutants file holds at least one mutant");
  return mutants;
}

}  // namespace fusetune
