#include "harness/tune/case_plan.hpp"

#include <map>

#include "harness/tune/session.hpp"

namespace fusetune {

Plan plan_of_cases(const std::vector<Case>& cases, const SpaceChoice& space,
                   const std::string& device) {
  Plan plan;
  plan.sweep.name = cases.empty() ? "cases" : cases.front().geometry.family->name;
  plan.sweep.device = device;
  plan.sweep.space = space;
  plan.target = target_for(device);
  plan.own_shapes = true;
  std::map<std::string, PlannedGeometry> by_key;
  for (const Case& which : cases) {
    PlannedGeometry& planned = by_key[which.geometry.key()];
    planned.cases.push_back({which, 1.0});
    if (planned.cases.size() > 1) continue;
    planned.geometry = which.geometry;
    SweepEntry entry;
    entry.family = which.geometry.family;
    for (const ImplementationDecl& implementation : entry.family->implementations) {
      if (implementation.when && !implementation.when->eval_bool(scope_of(which.geometry)))
        continue;
      for (Variant& variant : enumerate_variants(which.geometry, implementation, plan.target, entry,
                                                 space, &planned.pruned))
        planned.variants.push_back(std::move(variant));
    }
  }
  for (auto& [key, planned] : by_key) plan.geometries.push_back(std::move(planned));
  return plan;
}

Json to_json(const Searched& searched) {
  return Json{{"strategy", std::string(to_string(searched.choice.strategy))},
              {"evaluations", searched.choice.evaluations},
              {"seed", searched.choice.seed},
              {"tried", searched.tried},
              {"variants", searched.variants}};
}

Json to_json(const Plan& plan) {
  Json geometries = Json::array();
  for (const PlannedGeometry& planned : plan.geometries) {
    Json variants = Json::array();
    for (const Variant& variant : planned.variants)
      variants.push_back(variant.key(*planned.geometry.family));
    Json cases = Json::object();
    for (const PlannedCase& one : planned.cases) cases[one.which.key()] = one.weight;
    geometries.push_back({{"geometry", planned.geometry.key()},
                          {"models", planned.models},
                          {"variants", std::move(variants)},
                          {"cases", std::move(cases)}});
  }
  Json compile_only = Json::array();
  for (const Target& target : plan.compile_only) compile_only.push_back(target.name);
  return Json{{"device", plan.sweep.device},
              {"target", plan.target.name},
              {"compile_only", std::move(compile_only)},
              {"space", plan.sweep.space.text()},
              {"search", plan.sweep.search.text()},
              {"geometries", std::move(geometries)}};
}

}  // namespace fusetune
