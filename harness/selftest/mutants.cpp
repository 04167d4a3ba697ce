#include "harness/selftest/mutants.hpp"

#include <algorithm>
#include <system_error>

#include "harness/base/files.hpp"
#include "harness/spec/plan.hpp"
#include "harness/spec/yaml.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

namespace {

/// A mutant names the axes that matter to it, and the implementation where it is not the tuned one;
/// the other axes take their first, simplest values that the constraints allow.
Variant complete_variant(const Case& which, const YamlNode& node, const Target& target) {
  const Family& family = *which.geometry.family;
  std::string implementation = family.tuned;
  SweepEntry entry;
  entry.family = which.geometry.family;
  for (const auto& [axis, value] : node.entries()) {
    if (axis.as_string() == "implementation") {
      implementation = value.as_string();
      continue;
    }
    const AxisDecl* declared = family.find_axis(axis.as_string());
    if (declared == nullptr) axis.fail("unknown axis '" + axis.as_string() + "'");
    if (std::holds_alternative<std::int64_t>(declared->values.front()))
      entry.axes[declared->name] = {value.as_int()};
    else
      entry.axes[declared->name] = {Enum{value.as_string()}};
  }
  const ImplementationDecl* chosen = family.find_implementation(implementation);
  if (chosen == nullptr) node.fail("the family has no implementation '" + implementation + "'");
  std::vector<Pruned> pruned;
  return enumerate_variants(which.geometry, *chosen, target, entry, SpaceChoice{}, &pruned).front();
}

std::string read_check(const YamlNode& node) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kCheckCount; ++i)
    names.emplace_back(to_string(static_cast<Check>(i)));
  return node.as_one_of(names, "check");
}

/// `check`, or `{check: status}`.
Killer read_killer(const YamlNode& item) {
  if (!item.is_map()) return {read_check(item), std::nullopt};
  const auto entries = item.entries();
  if (entries.size() != 1) item.fail("one check and its status, as in {launch: race}");
  const auto& [check, value] = entries.front();
  const std::optional<Status> status = status_from_string(value.as_string());
  if (!status) value.fail("unknown status '" + value.as_string() + "'");
  return {read_check(check), status};
}

/// A list of checks, or `{out_of_reach: reason}`.
Expectation read_expectation(const YamlNode& node) {
  Expectation expectation;
  if (node.is_map() && node.find("out_of_reach")) {
    node.allow_keys({"out_of_reach"}, "key of what a mode cannot find");
    expectation.out_of_reach = node.at("out_of_reach").as_string();
    if (expectation.out_of_reach.empty()) node.fail("say why it is out of reach");
    return expectation;
  }
  for (const YamlNode& item : node.items()) expectation.killers.push_back(read_killer(item));
  if (expectation.killers.empty()) node.fail("name at least one check that finds it");
  return expectation;
}

/// One list for both modes, or what is expected of each.
std::map<ProofMode, Expectation> read_expectations(const YamlNode& node) {
  if (!node.is_map() || (!node.find("exact") && !node.find("fast"))) {
    const Expectation both = read_expectation(node);
    if (!both.out_of_reach.empty()) node.fail("a mutant that no mode finds shows nothing");
    return {{ProofMode::exact, both}, {ProofMode::fast, both}};
  }
  node.allow_keys({"exact", "fast"}, "mode");
  const Expectation exact = read_expectation(node.at("exact"));
  const Expectation fast = read_expectation(node.at("fast"));
  if (!exact.out_of_reach.empty() && !fast.out_of_reach.empty())
    node.fail("a mutant that no mode finds shows nothing");
  return {{ProofMode::exact, exact}, {ProofMode::fast, fast}};
}

LaunchChange read_launch_change(const YamlNode& node) {
  node.allow_keys({"entry", "blocks", "blocks_less", "drop", "swap_with", "argument", "add", "use"},
                  "change of a launch");
  LaunchChange change;
  if (const auto entry = node.find("entry")) change.entry = entry->as_string();
  if (const auto blocks = node.find("blocks")) change.blocks = blocks->as_int();
  if (const auto less = node.find("blocks_less")) change.blocks_less = less->as_int();
  if (const auto drop = node.find("drop")) change.drop = drop->as_bool();
  if (const auto other = node.find("swap_with")) change.swap_with = other->as_string();
  if (const auto argument = node.find("argument")) change.argument = argument->as_string();
  if (const auto add = node.find("add")) change.add = add->as_int();
  if (const auto use = node.find("use")) change.use = use->as_string();
  if (change.argument.empty() != (change.add == 0 && change.use.empty()))
    node.fail("'argument' goes with 'add' or 'use'");
  if (!change.swap_with.empty() && change.entry.empty()) node.fail("swap which 'entry' with it?");
  if (!change.any()) node.fail("the launches stay as they are");
  return change;
}

DeviceChange read_device_change(const YamlNode& node) {
  if (node.is_map()) {
    node.allow_keys({"loses_launches"}, "change of the device with a number");
    DeviceChange change{DeviceChange::Kind::loses_launches, node.at("loses_launches").as_int()};
    if (change.every < 1) node.fail("every first launch or more");
    return change;
  }
  const std::string word =
      node.as_one_of({"skips_last_block", "repeats_launches", "keeps_stale_inputs", "returns_early",
                      "reuses_arguments"},
                     "change of the device");
  return device_change_from_json(Json{{"kind", word}, {"every", 1}});
}

Patch read_patch(const YamlNode& node) {
  return {node.at("file").as_string(), node.at("replace").as_string(), node.at("with").as_string()};
}

void read_changes(const YamlNode& node, Mutant& mutant) {
  if (node.find("file")) mutant.patches.push_back(read_patch(node));
  if (const auto patches = node.find("patches")) {
    for (const YamlNode& patch : patches->items()) {
      patch.allow_keys({"file", "replace", "with"}, "key of a patch");
      mutant.patches.push_back(read_patch(patch));
    }
  }
  if (const auto defines = node.find("defines"))
    for (const auto& [name, value] : defines->entries())
      mutant.defines.emplace_back(name.as_string(), value.as_string());
  if (const auto launch = node.find("launch")) mutant.launch = read_launch_change(*launch);
  if (const auto device = node.find("device")) mutant.device = read_device_change(*device);
  if (mutant.patches.empty() && mutant.defines.empty() && !mutant.launch.any() &&
      mutant.device.kind == DeviceChange::Kind::none)
    node.fail(
        "a mutant changes something: give 'file' with 'replace' and 'with', 'defines', "
        "'launch' or 'device'");
}

Mutant read_mutant(const YamlNode& node, const std::string& family) {
  node.allow_keys({"name", "about", "file", "replace", "with", "patches", "defines", "launch",
                   "device", "case", "variant", "target", "killed_by", "on_gpu"},
                  "key of a mutant");
  Mutant mutant;
  mutant.mark = node.mark();
  mutant.name = node.at("name").as_string();
  mutant.about = node.at("about").as_string();
  read_changes(node, mutant);
  mutant.which = parse_case_key(node.at("case").as_string());
  if (mutant.which.geometry.family->name != family)
    node.at("case").fail("a case of another family than the file's");
  if (const auto target = node.find("target")) {
    mutant.target = target->as_string();
    parse_target(mutant.target);
  }
  mutant.variant =
      complete_variant(mutant.which, node.at("variant"),
                       parse_target(mutant.target.empty() ? "host-w64" : mutant.target));
  mutant.expected = read_expectations(node.at("killed_by"));
  if (const auto on_gpu = node.find("on_gpu")) mutant.on_gpu = read_expectation(*on_gpu);
  return mutant;
}

}  // namespace

MutantFile load_mutants(const std::filesystem::path& path) {
  const YamlNode root = YamlNode::load(path);
  root.allow_keys({"family", "mutants"}, "key of a mutants file");
  MutantFile file;
  file.family = root.at("family").as_string();
  if (find_family(file.family)->has_captured_truth())
    root.at("family").fail("planted bugs need a reference, and the truth of '" + file.family +
                           "' is captured: see `reference` in docs/yaml.md");
  for (const YamlNode& node : root.at("mutants").items()) {
    file.mutants.push_back(read_mutant(node, file.family));
    const std::string& name = file.mutants.back().name;
    if (std::count_if(file.mutants.begin(), file.mutants.end(),
                      [&name](const Mutant& mutant) { return mutant.name == name; }) > 1)
      node.fail("a mutant named '" + name + "' was given before");
  }
  if (file.mutants.empty()) root.fail("a mutants file holds at least one mutant");
  return file;
}

std::map<std::string, std::filesystem::path> mutant_files() {
  std::map<std::string, std::filesystem::path> files;
  std::error_code error;
  const auto folder = project_root() / "tests" / "mutants";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().extension() == ".yaml") files[entry.path().stem().string()] = entry.path();
  return files;
}

}  // namespace fusetune
