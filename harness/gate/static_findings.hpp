#pragma once
// From what a campaign and the compilers say to findings of the gate without a clock.

#include <map>
#include <string>
#include <vector>

#include "harness/gate/accepted_facts.hpp"
#include "harness/gate/gate_report.hpp"
#include "harness/gate/static_rules.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// Case key -> the line of the sweep that asks for it.
std::map<std::string, SourcePlace> places_of_cases(const Plan& plan);

/// What every finding of one variant on one target begins with. The reproduce line is the one of a
/// failure there; `device` is empty for a target that is compiled for alone.
Finding finding_of(const Plan& plan, const std::map<std::string, SourcePlace>& places,
                   std::size_t geometry, std::size_t variant, const Target& target,
                   const std::string& device);

/// What is accepted of one target, and by whose compiler.
struct FactsBase {
  const AcceptedFacts* accepted = nullptr;  ///< nullptr: nothing is
  std::string compiler;                     ///< that was asked here; "" for traces
};

/// One finding for each rule that is broken, one for those that improved, or one that passes;
/// `begun` is from finding_of(). Where another compiler was asked than the accepted facts are of, a
/// loss is ENV_CHANGED: the kernel may not be to blame. Counts what was compared with.
std::vector<Finding> judge_entry(const StaticRules& rules, const FactsBase& base,
                                 const FactsEntry& observed, const Finding& begun,
                                 std::int64_t& compared);

/// Of a proof, and of code that could not be had for it.
Finding judge_proof(const ProvedVariant& proved, Finding begun, std::int64_t& compared);

/// Of a unit that did not compile.
Finding judge_compilation(const CompiledUnit& unit, const FactsBase& base, Finding begun);

}  // namespace fusetune
