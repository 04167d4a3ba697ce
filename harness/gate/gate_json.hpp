#pragma once
// A gate as one JSON document, for programs.

#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// Raised when a reader of the old form would err: added members do not count.
constexpr int kGateSchemaVersion = 1;

/// Numbers that are not finite are null; text that is no UTF-8 is replaced.
Json gate_json(const GateReport& report, const GateRules& rules);

}  // namespace fusetune
