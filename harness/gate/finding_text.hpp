#pragma once
// What all outputs of a gate say of it in the same words, and in the same order.

#include <string>
#include <vector>

#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// Whether the finding alone would make the gate fail.
bool fails(const Finding& finding, const GateRules& rules);

/// Whether it compared nothing, or nothing that it could decide: outputs with a place for skipped
/// tests put it there.
bool is_undecided(Verdict verdict);

/// The report's findings, its suites as findings of rule perf/suite, and where nothing was compared
/// one of rule gate/coverage: a viewer that knows no exit code has to be red as well.
std::vector<Finding> findings_to_show(const GateReport& report);

/// Those that fail first, the graver before; then by verdict, then the slower; else as they come.
std::vector<Finding> worst_first(std::vector<Finding> findings, const GateRules& rules);

/// "1.052 [1.041, 1.063]"; "" without a ratio.
std::string ratio_text(const std::optional<Interval>& ratio);

/// "could have seen 2.1 %"; "" where nothing is timed.
std::string detectable_text(const Finding& finding);

/// The reason with ratio and detectable effect where there are some.
std::string message_of(const Finding& finding);

/// "12 PASS, 1 REGRESSION", in the order of verdicts; "nothing" for no finding.
std::string counts_text(const GateReport& report);

/// "12 of 14 compared"
std::string coverage_text(const GateReport& report);

/// "passed", "failed with exit code 2: a result was wrong"
std::string outcome_text(const GateReport& report, const GateRules& rules);

/// `text` as valid UTF-8 without control characters but tab and line end; others are replaced. What
/// it is made of comes from compilers and kernels.
std::string clean_text(const std::string& text);

/// What tells the finding from all others of a gate: rule, target, case and variant.
std::string fingerprint_of(const Finding& finding);

}  // namespace fusetune
