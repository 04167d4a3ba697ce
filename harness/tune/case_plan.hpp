#pragma once
// Plans that do not come from a sweep: given cases over a space.

#include <string>
#include <vector>

#include "harness/spec/plan.hpp"

namespace fusetune {

/// A plan of the given cases, which share geometries where they can, over all implementations that
/// serve them. Throws UserError when a space is empty.
Plan plan_of_cases(const std::vector<Case>& cases, const SpaceChoice& space,
                   const std::string& device);

/// A plan as the store keeps it: device, targets, and per geometry its variants and cases by their
/// keys.
Json to_json(const Plan& plan);

/// What a record says of how its variants were chosen.
Json to_json(const Searched& searched);

}  // namespace fusetune
