#include <fmt/format.h>

#include <algorithm>

#include "harness/selftest/mutants.hpp"

namespace fusetune {

namespace {

using Kind = DeviceChange::Kind;

constexpr std::pair<Kind, const char*> kDeviceKinds[] = {
    {Kind::none, "none"},
    {Kind::loses_launches, "loses_launches"},
    {Kind::skips_last_block, "skips_last_block"},
    {Kind::repeats_launches, "repeats_launches"},
    {Kind::keeps_stale_inputs, "keeps_stale_inputs"},
    {Kind::returns_early, "returns_early"},
    {Kind::reuses_arguments, "reuses_arguments"},
};

/// The position of an entry's only launch.
std::vector<Launch>::iterator find_launch(std::vector<Launch>& launches, const std::string& entry) {
  const auto found = std::find_if(launches.begin(), launches.end(),
                                  [&](const Launch& launch) { return launch.entry == entry; });
  if (found == launches.end())
    throw UserError(fmt::format("no launch of the case has the entry '{}'", entry));
  return found;
}

void change_grid(const LaunchChange& change, Launch& launch) {
  if (change.blocks != 0) launch.grid[0] = change.blocks;
  launch.grid[0] -= change.blocks_less;
  if (launch.grid[0] < 0)
    throw UserError(fmt::format("{} has fewer than {} blocks", launch.entry, change.blocks_less));
}

void exchange_tensor(const LaunchChange& change, Launch& launch) {
  for (Argument& argument : launch.arguments)
    if (argument.kind == Argument::Kind::tensor && argument.name == change.argument) {
      argument.name = change.use;
      return;
    }
  throw UserError(fmt::format("{} has no tensor argument '{}'", launch.entry, change.argument));
}

}  // namespace

bool LaunchChange::any() const {
  return blocks != 0 || blocks_less != 0 || drop || !swap_with.empty() || !argument.empty();
}

Json to_json(const LaunchChange& change) {
  return Json{{"entry", change.entry},
              {"blocks", change.blocks},
              {"blocks_less", change.blocks_less},
              {"drop", change.drop},
              {"swap_with", change.swap_with},
              {"argument", change.argument},
              {"add", change.add},
              {"use", change.use}};
}

LaunchChange launch_change_from_json(const Json& json) {
  LaunchChange change;
  change.entry = json.at("entry").get<std::string>();
  change.blocks = json.at("blocks").get<std::int64_t>();
  change.blocks_less = json.at("blocks_less").get<std::int64_t>();
  change.drop = json.at("drop").get<bool>();
  change.swap_with = json.at("swap_with").get<std::string>();
  change.argument = json.at("argument").get<std::string>();
  change.add = json.at("add").get<std::int64_t>();
  change.use = json.at("use").get<std::string>();
  return change;
}

Json to_json(const DeviceChange& change) {
  const auto* const named =
      std::find_if(std::begin(kDeviceKinds), std::end(kDeviceKinds),
                   [&](const auto& kind) { return kind.first == change.kind; });
  return Json{{"kind", named->second}, {"every", change.every}};
}

DeviceChange device_change_from_json(const Json& json) {
  const auto name = json.at("kind").get<std::string>();
  for (const auto& [kind, text] : kDeviceKinds)
    if (name == text) return {kind, json.at("every").get<std::int64_t>()};
  throw UserError("unknown change of a device: " + name);
}

void apply(const LaunchChange& change, std::vector<Launch>& launches) {
  if (!change.any()) return;
  if (!change.entry.empty()) find_launch(launches, change.entry);
  if (!change.swap_with.empty())
    std::iter_swap(find_launch(launches, change.entry), find_launch(launches, change.swap_with));
  if (change.drop)
    std::erase_if(launches, [&](const Launch& launch) {
      return change.entry.empty() || launch.entry == change.entry;
    });
  for (Launch& launch : launches) {
    if (!change.entry.empty() && launch.entry != change.entry) continue;
    change_grid(change, launch);
    if (!change.use.empty()) exchange_tensor(change, launch);
  }
}

}  // namespace fusetune
