#include "harness/tune/selftest.hpp"

#include "harness/base/error.hpp"
#include "harness/spec/yaml.hpp"
#include "harness/verify/findings.hpp"

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

std::string read_check(const YamlNode& node) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Check::determinism); ++i)
    names.emplace_back(to_string(static_cast<Check>(i)));
  return node.as_one_of(names, "check");
}

/// `check`, or `{check: status}`.
std::vector<Killer> read_killers(const YamlNode& node) {
  std::vector<Killer> killers;
  for (const YamlNode& item : node.items()) {
    if (!item.is_map()) {
      killers.push_back({read_check(item), std::nullopt});
      continue;
    }
    for (const auto& [check, value] : item.entries()) {
      const std::optional<Status> status = status_from_string(value.as_string());
      if (!status) value.fail("unknown status '" + value.as_string() + "'");
      killers.push_back({read_check(check), status});
    }
  }
  if (killers.empty()) node.fail("a mutant is killed by at least one check");
  return killers;
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
  mutant.killed_by = read_killers(node.at("killed_by"));
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
