#pragma once
// A gate as SARIF 2.1.0, for code scanning: what is not fine, at the line of the sweep that asks
// for it.

#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// What fails the gate is an error, what is undecided a note, the rest is counted alone. The
/// fingerprint of a result stays the same from run to run, so that alerts open and close.
Json sarif_json(const GateReport& report, const GateRules& rules);

}  // namespace fusetune
