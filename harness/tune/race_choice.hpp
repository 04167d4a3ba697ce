#pragma once
// From the races of a plan to the variants that its table names.

#include <vector>

#include "harness/tune/race_stage.hpp"

namespace fusetune {

/// Chooses in every race that was decided; one that gives no row becomes `skipped`, with the
/// reason. Where a geometry asks for batch invariance its rows all name variants of one class of
/// equal bits: the one that is fastest over all row counts, by their weights.
void choose_winners(const Plan& plan, const TrafficSummary& traffic, const Incumbents& incumbents,
                    std::vector<CaseRace>& races);

}  // namespace fusetune
