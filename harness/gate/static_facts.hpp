#pragma once
// What is known of one variant on one target without a clock, as names and numbers that a file can
// hold and a rule can judge.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/tune/compile_stage.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

/// Fact -> value, in the unit that its name says.
using Facts = std::map<std::string, std::int64_t>;

/// All names there are: of code objects, then of traces.
const std::vector<std::string>& static_fact_names();

/// The facts of one variant of one geometry on one target.
struct FactsEntry {
  std::string geometry, variant;  ///< keys
  std::string code_identity;      ///< of a GPU's code; "" on a host, whose compiler is no GPU's
  std::map<std::string, Facts> parts;  ///< by entry of the code object; "trace" for a host's trace

  bool operator==(const FactsEntry&) const = default;
};

/// Of one entry of a code object: what its target tells, and nothing for what it does not.
Facts facts_of_kernel(const KernelFacts& kernel);

/// Of a unit that compiled.
FactsEntry facts_entry(const Plan& plan, const CompiledUnit& unit);

/// Of a successful trace.
FactsEntry facts_entry(const Plan& plan, const TracedVariant& traced, const Case& which);

}  // namespace fusetune
