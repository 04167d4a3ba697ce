#pragma once
// From the command line to a gate with a clock.

#include <filesystem>
#include <string>

#include "harness/cli/options.hpp"
#include "harness/gate/gate_report.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

/// The plan of a sweep's cases on a device; "": the sweep's own. Compile-only targets are left out.
Plan gated_plan(const std::filesystem::path& sweep, const std::string& device);

/// Runs it. Throws UserError.
GateReport timed_gate_report(const GlobalOptions& global, const GateOptions& options);

}  // namespace fusetune
