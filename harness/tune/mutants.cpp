#include "harness/tune/selftest.hpp"

#include "harness/base/error.hpp"
#include "harness/spec/yaml.hpp"

namespace fusetune {

namespace {

/// A mutant names the axes that matter to it; the others take their first, simplest value that the
/// constraints allow.
Variant complete_variant(const Case& which, const std::string& key, const Mark& mark) {
  const Family& family = *which.geometry.family;
  const Variant given = parse_variant_key(family, key);
  const ImplementationDecl* implementation = family.find_implementation(given.implementation);
  SweepEntry entry;
  entry.family = which.geometry.family;
  std::vector<Pruned> pruned;
  for (Variant& variant :
       enumerate_variants(which.geometry, *implementation, parse_target("host-w64"), entry,
                          SpaceChoice{}, &pruned)) {
    bool fits = true;
    for (const auto& [axis, value] : given.axes) fits = fits && variant.axes.at(axis) == value;
    if (fits) return std::move(variant);
  }
  throw UserError(mark, "no variant of the space is '" + key + "'");
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
    launch->allow_keys({"grid_x"}, "change of a launch");
    mutant.grid_x = launch->at("grid_x").as_int();
  }
  if (mutant.file.empty() && mutant.grid_x == 0)
    node.fail("a mutant changes something: give 'file' with 'replace' and 'with', or 'launch'");
  mutant.which = parse_case_key(node.at("case").as_string());
  mutant.variant =
      complete_variant(mutant.which, node.at("variant").as_string(), node.at("variant").mark());
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
