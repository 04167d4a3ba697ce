#include <fmt/format.h>

#include <algorithm>

#include "harness/base/json.hpp"
#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

std::vector<std::string> names_of(const std::map<std::string, std::string>& map) {
  std::vector<std::string> names;
  for (const auto& [name, what] : map) names.push_back(name);
  return names;
}

}  // namespace

void FamilyReader::read_implementations() {
  const YamlNode section = root_.at("implementations");
  for (const auto& [key, node] : section.entries()) {
    require_identifier(key, "an implementation");
    node.allow_keys(family_keys().at("implementation"), "key of an implementation");
    ImplementationDecl implementation;
    implementation.name = key.as_string();
    implementation.mark = key.mark();
    const YamlNode role = node.at("role");
    const std::string word = role.as_one_of({"tuned", "baseline", "alternative"}, "role");
    std::string* slot = word == "tuned"      ? &family_.tuned
                        : word == "baseline" ? &family_.baseline
                                             : nullptr;
    if (slot != nullptr) {
      if (!slot->empty()) role.fail(fmt::format("'{}' is the {} one already", *slot, word));
      *slot = implementation.name;
    }
    read_implementation(implementation, node);
    family_.implementations.push_back(std::move(implementation));
  }
  if (family_.tuned.empty()) section.fail("one implementation has role: tuned");
  // Tables need one of its own; whatever else asks takes this one.
  if (family_.baseline.empty()) family_.baseline = family_.tuned;
}

void FamilyReader::read_implementation(ImplementationDecl& implementation, const YamlNode& node) {
  read_axes_of(implementation, node);
  for (const YamlNode& item : node.at("launches").items())
    implementation.launches.push_back(read_launch(item));
  const auto source = node.find("source");
  if (implementation.launches.empty()) {
    if (source) source->fail("an implementation without launches has no source");
  } else {
    implementation.source = file_beside(node.at("source"));
  }
  if (const auto when = node.find("when"))
    implementation.when =
        names_.parse_bool(*when, reach::of_geometry, "an implementation's condition");
  if (const auto tile = node.find("tile_rows"))
    implementation.tile_rows = names_.parse_int(*tile, reach::of_variant, "tile_rows");
  if (const auto bytes = node.find("workspace_bytes"))
    implementation.workspace_bytes =
        names_.parse_int(*bytes, reach::of_variant | reach::runtime, "workspace_bytes");
  if (const auto note = node.find("note")) implementation.note = note->as_string();
}

std::filesystem::path FamilyReader::file_beside(const YamlNode& node) const {
  const std::filesystem::path name = std::filesystem::path(node.as_string()).lexically_normal();
  if (name.empty() || name.is_absolute() || *name.begin() == ".." || !name.has_filename() ||
      name == ".")
    node.fail(fmt::format("'{}' is no file in the family's folder", node.as_string()));
  return family_.directory / name;
}

void FamilyReader::read_axes_of(ImplementationDecl& implementation, const YamlNode& node) {
  const std::vector<std::string> known = names_of(family_.axes);
  if (const auto fixed = node.find("fixed")) {
    for (const auto& [key, item] : fixed->entries()) {
      const AxisDecl& axis = *family_.find_axis(key.as_one_of(known, "axis"));
      const Value value = parse_value(item);
      require_axis_value(axis, value, item.mark());
      implementation.fixed[axis.name] = value;
    }
  }
  const auto list = node.find("axes");
  std::vector<std::string> chosen;
  if (list) {
    for (const YamlNode& item : list->items()) {
      const std::string name = item.as_one_of(known, "axis");
      if (implementation.fixed.count(name) != 0) item.fail("an axis either varies or is fixed");
      if (std::find(chosen.begin(), chosen.end(), name) != chosen.end()) item.fail("listed twice");
      chosen.push_back(name);
    }
  }
  for (const std::string& name : known) {
    const bool varies = list ? std::find(chosen.begin(), chosen.end(), name) != chosen.end()
                             : implementation.fixed.count(name) == 0;
    if (varies) implementation.axes.push_back(name);
  }
}

LaunchDecl FamilyReader::read_launch(const YamlNode& node) {
  node.allow_keys(family_keys().at("launch"), "key of a launch");
  LaunchDecl launch;
  launch.mark = node.mark();
  const YamlNode entry = node.at("entry");
  require_identifier(entry, "an entry");
  launch.entry = entry.as_string();
  const auto dims = [&](const char* key, unsigned allowed, std::string_view what) {
    std::vector<Expr> list;
    for (const YamlNode& item : node.at(key).items())
      list.push_back(names_.parse_int(item, allowed, what));
    if (list.empty() || list.size() > 3) node.at(key).fail("one to three dimensions");
    return list;
  };
  launch.grid = dims("grid", reach::of_launch, "a grid");
  launch.block = dims("block", reach::of_block, "a block");
  if (const auto bytes = node.find("lds_bytes"))
    launch.lds_bytes = names_.parse_int(*bytes, reach::of_launch, "lds_bytes");
  if (const auto when = node.find("when"))
    launch.when = names_.parse_bool(*when, reach::of_launch, "a launch's condition");
  if (const auto arguments = node.find("arguments")) {
    for (const YamlNode& item : arguments->items()) {
      const std::string name = item.as_one_of(names_of(arguments_), "argument");
      const auto& list = launch.arguments;
      if (std::find(list.begin(), list.end(), name) != list.end()) item.fail("listed twice");
      launch.arguments.push_back(name);
    }
    if (launch.arguments.empty()) arguments->fail("list at least one argument, or leave it out");
  }
  return launch;
}

}  // namespace fusetune
