#include "harness/tune/dead_axes.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace fusetune {

namespace {

/// Code of a geometry for a target -> how many variants have it.
using CodeUsers = std::map<std::tuple<std::size_t, std::string, std::string>, std::int64_t>;

CodeUsers code_users(const CompileSummary& compiled) {
  CodeUsers users;
  for (const CompiledUnit& unit : compiled.units)
    ++users[{unit.geometry, unit.target.name, unit.code.code_identity}];
  return users;
}

/// Code, and launches in all cases of its geometry where others have the same code; "" where there
/// is none.
std::string identity_of(const PlannedGeometry& geometry, const CompiledUnit& unit,
                        const CodeUsers& users, const DeviceFacts& device) {
  if (!unit.code.outcome.ok()) return "";
  std::string identity = unit.code.code_identity;
  if (users.at({unit.geometry, unit.target.name, identity}) == 1) return identity;
  try {
    for (const PlannedCase& planned : geometry.cases) {
      identity += '|';
      identity += launch_plan_key(
          launches_of(planned.which, geometry.variants[unit.variant], unit.target, device));
    }
  } catch (const EvalError&) {
    return "";  // it cannot be launched, which is told where it is proved
  }
  return identity;
}

std::string other_axes(const Variant& variant, const std::string& left_out) {
  std::string text;
  for (const auto& [name, value] : variant.axes)
    if (name != left_out) text += fmt::format("{}={},", name, to_string(value));
  return text;
}

/// What was compiled with equal other axes.
struct Compared {
  std::int64_t values = 0;
  std::set<std::string> identities;
};

using AxisKey = std::tuple<std::string, std::string, std::string, std::string>;

}  // namespace

SpaceFacts space_facts(const Plan& plan, const CompileSummary& compiled,
                       const DeviceFacts& device) {
  std::map<AxisKey, std::map<std::pair<std::size_t, std::string>, Compared>> axes;
  std::map<std::string, std::set<std::pair<std::size_t, std::string>>> distinct;
  std::map<std::string, std::int64_t> variants;
  const CodeUsers users = code_users(compiled);
  for (const CompiledUnit& unit : compiled.units) {
    const PlannedGeometry& geometry = plan.geometries[unit.geometry];
    const std::string identity = identity_of(geometry, unit, users, device);
    if (identity.empty()) continue;
    ++variants[unit.target.name];
    distinct[unit.target.name].emplace(unit.geometry, identity);
    const Variant& variant = geometry.variants[unit.variant];
    for (const auto& [axis, value] : variant.axes) {
      Compared& choice = axes[{geometry.geometry.family->name, variant.implementation,
                               unit.target.name, axis}][{unit.geometry, other_axes(variant, axis)}];
      ++choice.values;
      choice.identities.insert(identity);
    }
  }
  SpaceFacts facts;
  for (const auto& [key, choices] : axes) {
    DeadAxis axis{std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key), 0};
    bool alive = false;
    for (const auto& [others, choice] : choices) {
      if (choice.values > 1) ++axis.choices;
      alive |= choice.identities.size() > 1;
    }
    if (!alive && axis.choices > 0) facts.dead_axes.push_back(std::move(axis));
  }
  for (const Target& target : targets_of(plan))
    if (variants.count(target.name) != 0)
      facts.codes.push_back(
          {target.name, variants[target.name], std::ssize(distinct[target.name])});
  return facts;
}

}  // namespace fusetune
