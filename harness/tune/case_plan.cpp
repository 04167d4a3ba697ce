#include "harness/tune/case_plan.hpp"

#include <map>

#include "harness/device/device.hpp"

namespace fusetune {

Plan plan_of_cases(const std::vector<Case>& cases, const SpaceChoice& space,
                   const std::string& device) {
  Plan plan;
  plan.sweep.name = cases.empty() ? "cases" : cases.front().geometry.family->name;
  plan.sweep.device = device;
  plan.sweep.space = space;
  plan.target = target_of_device(device);
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

}  // namespace fusetune
