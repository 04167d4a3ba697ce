// `golden` of family.yaml: how published vectors map onto the family.

#include <fmt/format.h>

#include "harness/base/json.hpp"
#include "harness/spec/family_reader.hpp"
#include "harness/spec/keys.hpp"

namespace fusetune {

namespace {

/// Integers as such, anything else as its text.
Json scalar_of(const YamlNode& node) {
  const Value value = parse_value(node);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return node.as_string();
}

}  // namespace

void FamilyReader::read_golden() {
  const auto section = root_.find("golden");
  if (!section) {
    if (family_.has_captured_truth())
      root_.at("reference").fail("captured vectors are the truth, and golden maps none of them");
    return;
  }
  for (const auto& [key, node] : section->entries()) {
    std::vector<Json>& mappings = family_.golden[key.as_string()];
    if (!node.is_sequence())
      mappings.push_back(read_golden_mapping(node));
    else
      for (const YamlNode& item : node.items()) mappings.push_back(read_golden_mapping(item));
    if (mappings.empty()) node.fail("list at least one mapping");
  }
}

void FamilyReader::read_captured() {
  const auto files = root_.find("captured");
  if (!files) return;
  if (!family_.has_captured_truth())
    files->fail(fmt::format("captured files go with reference: captured, not with '{}'",
                            family_.reference));
  for (const YamlNode& file : files->items()) family_.captured.push_back(file_beside(file));
  if (family_.captured.empty()) files->fail("list at least one file");
}

Json FamilyReader::read_golden_mapping(const YamlNode& node) const {
  node.allow_keys(family_keys().at("golden"), "key of a golden mapping");
  check_golden_names(node);
  Json mapping = Json::object();
  for (const auto& [part, names] : node.entries()) {
    Json& object = mapping[part.as_string()] = Json::object();
    for (const auto& [ours, theirs] : names.entries()) object[ours.as_string()] = scalar_of(theirs);
  }
  return mapping;
}

void FamilyReader::check_golden_names(const YamlNode& node) const {
  const auto check = [&](const char* part, const std::vector<std::string>& known,
                         std::string_view what) {
    const auto names = node.find(part);
    if (!names) return;
    for (const auto& [ours, theirs] : names->entries()) ours.as_one_of(known, what);
  };
  for (const char* part : {"options", "options_from"})
    check(part, names_of(family_.options), "option");
  for (const char* part : {"tensors", "truths", "tables", "filled", "filled_bits"})
    check(part, names_of(family_.tensors), "tensor");
  for (const char* part : {"dtypes", "dtypes_from"}) check(part, names_of(family_.dtypes), "dtype");
  check("symbols", names_of(family_.symbols), "symbol");
  check("scalars", names_of(family_.scalars), "scalar");
  const auto options = node.find("options");
  if (!options) return;
  for (const auto& [name, value] : options->entries())
    value.as_one_of(family_.find_option(name.as_string())->values, "value of the option");
}

}  // namespace fusetune
