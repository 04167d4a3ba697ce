#pragma once
// Which of the valid variants a space choice takes.

#include <vector>

#include "harness/spec/plan.hpp"

namespace fusetune {

/// Positions in `variants`, ascending, always with the first. The variants are of one
/// implementation.
std::vector<std::size_t> select_variants(const std::vector<Variant>& variants,
                                         const SpaceChoice& space);

}  // namespace fusetune
