#include "harness/tune/requirements.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "harness/spec/variant_facts.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune {

namespace {

/// The facts that a rule uses, in its order of names. What the family calls the same is no fact.
std::vector<std::string> facts_used(const RuleDecl& rule, const Bindings& scope) {
  std::vector<std::string> used;
  for (const auto* names : {&code_fact_names(), &traffic_fact_names()})
    for (const std::string& name : *names)
      if (rule.rule.names().count(name) != 0 && scope.count(name) == 0) used.push_back(name);
  return used;
}

class Judge {
 public:
  Judge(const Plan& plan, const CompileSummary& compiled, const TrafficSummary& traffic,
        RequirementSummary& summary)
      : plan_(plan), compiled_(compiled), traffic_(traffic), summary_(summary) {}

  /// The first rule that the variant breaks.
  std::optional<BrokenRequirement> judge(std::size_t geometry, std::size_t variant) {
    for (const RuleDecl& rule : plan_.geometries[geometry].require)
      if (auto broken = judge(geometry, variant, rule)) return broken;
    return std::nullopt;
  }

 private:
  std::optional<BrokenRequirement> judge(std::size_t geometry, std::size_t variant,
                                         const RuleDecl& rule) {
    const PlannedGeometry& planned = plan_.geometries[geometry];
    bool judged = false;
    for (const Target& target : targets_of(plan_)) {
      const CompiledUnit* found = compiled_.find(geometry, variant, target);
      if (found == nullptr || !found->code.outcome.ok()) continue;
      const CompiledUnit& unit = *found;
      Bindings scope = scope_of(planned.geometry, &unit.target, &planned.variants[variant]);
      const std::vector<std::string> used = facts_used(rule, scope);
      scope.merge(facts_known(unit));
      if (std::any_of(used.begin(), used.end(),
                      [&scope](const std::string& name) { return scope.count(name) == 0; }))
        continue;
      judged = true;
      if (std::optional<std::string> why = fault(rule, used, scope)) {
        ++summary_.judged;
        return BrokenRequirement{geometry, variant, unit.target, *why};
      }
    }
    if (judged)
      ++summary_.judged;
    else
      ++summary_.unjudged[rule.rule.text()];
    return std::nullopt;
  }

  /// Of the unit's code, and of the trace where the waves are as wide.
  Bindings facts_known(const CompiledUnit& unit) const {
    Bindings facts = facts_of(unit.code.facts);
    if (unit.target.wave_size != plan_.target.wave_size) return facts;
    if (const TracedVariant* traced = traffic_.find(unit.geometry, unit.variant))
      facts.merge(facts_of(traced->traffic, traffic_of(traffic_.cases[unit.geometry])));
    return facts;
  }

  static std::optional<std::string> fault(const RuleDecl& rule,
                                          const std::vector<std::string>& used,
                                          const Bindings& scope) {
    const std::string text = rule.rule.text();
    const std::string asked = rule.reason == text ? text : rule.reason + ": " + text;
    try {
      if (rule.rule.eval_bool(scope)) return std::nullopt;
    } catch (const EvalError& error) {
      return fmt::format("{}, which has no value: {}", asked, error.what());
    }
    std::vector<std::string> values;
    for (const std::string& name : used)
      values.push_back(fmt::format("{} is {}", name, to_string(scope.at(name))));
    return fmt::format("{}{}{}", asked, values.empty() ? " does not hold" : ", but ",
                       fmt::join(values, ", "));
  }

  const Plan& plan_;
  const CompileSummary& compiled_;
  const TrafficSummary& traffic_;
  RequirementSummary& summary_;
};

}  // namespace

void apply_requirements(const Plan& plan, std::size_t geometry, const CompileSummary& compiled,
                        const TrafficSummary& traffic, ProofSummary& proofs,
                        RequirementSummary& summary) {
  Judge judge(plan, compiled, traffic, summary);
  const PlannedGeometry& planned = plan.geometries[geometry];
  for (std::size_t v = 0; v < planned.variants.size(); ++v) {
    ProvedVariant* proved = proofs.find(geometry, v);
    if (proved == nullptr || !proved->outcome.ok() ||
        planned.variants[v].implementation == planned.geometry.family->baseline)
      continue;
    auto broken = judge.judge(geometry, v);
    if (!broken) continue;
    proved->outcome = {Status::pruned, broken->message};
    const auto after = std::upper_bound(summary.broken.begin(), summary.broken.end(), *broken,
                                        [](const auto& one, const auto& two) {
                                          return std::pair(one.geometry, one.variant) <
                                                 std::pair(two.geometry, two.variant);
                                        });
    summary.broken.insert(after, *std::move(broken));
  }
}

}  // namespace fusetune
