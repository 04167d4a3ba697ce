#include "harness/selftest/check_groups.hpp"

#include <algorithm>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

const std::set<ProofMode> kBoth{ProofMode::exact, ProofMode::fast};
const std::set<ProofMode> kExact{ProofMode::exact};
const std::set<ProofMode> kFast{ProofMode::fast};

}  // namespace

std::string_view to_string(ProofMode mode) { return mode == ProofMode::exact ? "exact" : "fast"; }

ProofMode mode_from_string(std::string_view name) {
  for (const ProofMode mode : {ProofMode::exact, ProofMode::fast})
    if (name == to_string(mode)) return mode;
  throw UserError(unknown_name("mode", std::string(name), {"exact", "fast"}));
}

std::vector<ProofMode> modes_of(const Target& target) {
  if (target.platform != Platform::host) return {ProofMode::fast};
  return {ProofMode::exact, ProofMode::fast};
}

const std::vector<CheckGroup>& check_groups() {
  static const std::vector<CheckGroup> groups{
      {"values", "elements against the reference", {"exact", "values"}, kBoth},
      {"norms", "blocks of elements against the reference", {"norms"}, kBoth},
      {"poison", "two patterns for what nobody wrote", {"poison"}, kBoth},
      {"writers", "who wrote which byte", {"writers"}, kExact},
      {"guards",
       "memory beside the tensors and between their rows",
       {"guards", "row_padding", "out_of_bounds"},
       kBoth},
      {"inputs_unchanged",
       "inputs hold what they held",
       {"inputs_unchanged", "input_modified"},
       kBoth},
      {"untouched", "elements that must stay as they were", {"untouched"}, kBoth},
      {"calls", "several calls in a row, with their state", {"calls"}, kBoth},
      {"alias", "outputs in the memory of inputs", {"alias"}, kBoth},
      {"input_impact", "every input matters", {"input_impact"}, kBoth},
      {"back_to_back", "two argument sets without a synchronise between", {"back_to_back"}, kBoth},
      {"baseline", "results beside those of the unfused implementation", {"baseline"}, kBoth},
      {"determinism", "the same again in another order", {"determinism"}, kFast},
      {"batch_invariance", "rows in batches of other sizes", {"batch_invariance"}, kFast},
      {"races", "accesses without an order between them", {"race"}, kExact},
      {"initialisation", "reads of what nobody wrote", {"uninitialised_read"}, kExact},
  };
  return groups;
}

const CheckGroup& find_check_group(std::string_view name) {
  std::vector<std::string> names;
  for (const CheckGroup& group : check_groups()) {
    if (group.name == name) return group;
    names.push_back(group.name);
  }
  throw UserError(unknown_name("group of checks", std::string(name), names));
}

const CheckGroup* group_of(std::string_view check, std::string_view status) {
  const std::string part(check == "launch" ? status : check);
  const auto& groups = check_groups();
  const auto found = std::find_if(groups.begin(), groups.end(), [&](const CheckGroup& group) {
    return group.parts.count(part) != 0;
  });
  return found == groups.end() ? nullptr : &*found;
}

}  // namespace fusetune
