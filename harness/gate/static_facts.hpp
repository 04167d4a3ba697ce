#pragma once
// What compilers and traces tell of a variant without a clock, as the facts that a gate judges.

#include "harness/gate/facts_entry.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

/// Of one entry of a code object: what its target tells, and nothing for what it does not.
Facts facts_of_kernel(const KernelFacts& kernel);

/// Of a unit that compiled.
FactsEntry facts_entry(const Plan& plan, const CompiledUnit& unit);

/// Of a successful trace.
FactsEntry facts_entry(const Plan& plan, const TracedVariant& traced, const Case& which);

}  // namespace fusetune
