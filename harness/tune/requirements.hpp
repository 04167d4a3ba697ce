#pragma once
// Judges the rules that a sweep requires of compiled and traced variants.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

/// A variant that is not raced because it breaks a rule.
struct BrokenRequirement {
  std::size_t geometry = 0;
  std::size_t variant = 0;
  Target target;        ///< whose facts broke it
  std::string message;  ///< "strided lanes: coalescing_percent >= 90, but coalescing_percent is 50"
};

struct RequirementSummary {
  std::vector<BrokenRequirement> broken;  ///< one per variant, the first rule that it breaks
  std::int64_t judged = 0;  ///< rules that a variant was held against, and kept or not
  std::map<std::string, std::int64_t> unjudged;  ///< rule -> variants whose facts no target told
};

/// Every proved variant of a geometry but the baseline's, on each target that tells all facts of a
/// rule. Those that break one become `pruned` in `proofs`. The findings are added to `summary`,
/// which is in the order of the plan whatever the order of the calls.
void apply_requirements(const Plan& plan, std::size_t geometry, const CompileSummary& compiled,
                        const TrafficSummary& traffic, ProofSummary& proofs,
                        RequirementSummary& summary);

}  // namespace fusetune
