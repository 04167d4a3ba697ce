#pragma once
// What it costs that row counts of a geometry share kernels, in words.

#include <string>
#include <vector>

#include "harness/tune/race_stage.hpp"

namespace fusetune {

/// "2 kernels for 5 row counts, where each its own would be 4: ...", "" where none is shared. The
/// races are of one geometry.
std::string sharing_text(const PlannedGeometry& geometry,
                         const std::vector<const CaseRace*>& races);

}  // namespace fusetune
