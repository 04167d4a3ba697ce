#pragma once
// A gate for GitHub Actions: the table of a step's summary, and annotations at the lines of the
// sweep.

#include <cstddef>
#include <string>

#include "harness/gate/gate_report.hpp"

namespace fusetune {

/// What GitHub takes of one step's summary, and how many rows are read.
constexpr std::size_t kSummaryBytesMax = 1 << 20;
constexpr std::size_t kSummaryRowsMax = 50;
/// GitHub shows few per step.
constexpr std::size_t kAnnotationsMax = 10;

/// Markdown: what came of it, a table with the worst first, how to see failures again. At most
/// kSummaryRowsMax rows, and fewer where they would not fit into `bytes_max`; what is left out is
/// counted.
std::string step_summary(const GateReport& report, const GateRules& rules,
                         std::size_t bytes_max = kSummaryBytesMax);

/// "::error file=...,line=...,title=...::message" of the worst findings that fail, one line each;
/// "" when none does.
std::string annotations(const GateReport& report, const GateRules& rules);

/// Text of a cell of a Markdown table: nothing in it is markup.
std::string markdown_text(const std::string& text);

}  // namespace fusetune
