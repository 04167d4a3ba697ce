#pragma once
// What a gate prints: one line a case, what is not fine in full, the summary last; at most
// kLineWidth columns but for commands.

#include <string>

#include "harness/cli/terminal.hpp"
#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// One line for each case and variant, with the worst of its verdicts and what was judged.
std::string cases_text(const GateReport& report, const GateRules& rules, const Terminal& terminal);

/// Findings that did not pass, the worst first, with reason and command. At most `findings_max`,
/// what is left out counted.
std::string problems_text(const GateReport& report, const GateRules& rules,
                          const Terminal& terminal, std::size_t findings_max);

/// Counts, coverage and what came of it.
std::string outcome_lines(const GateReport& report, const GateRules& rules,
                          const Terminal& terminal);

/// How every finding of a case was decided. Throws UserError with the nearest key when the report
/// has no such case.
std::string decision_text(const GateReport& report, const std::string& case_key);

}  // namespace fusetune
