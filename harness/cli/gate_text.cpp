#include "harness/cli/gate_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/base/error.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/gate/finding_text.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/spec/value.hpp"

namespace fusetune {

namespace {

/// What is told may come from a compiler or a kernel: it makes no lines of its own.
std::string one_line(const std::string& text) {
  std::string line = clean_text(text);
  for (char& c : line)
    if (c == '\n' || c == '\t') c = ' ';
  return line;
}

std::string painted(const Finding& finding, const GateRules& rules, const Terminal& terminal,
                    const std::string& text) {
  if (fails(finding, rules)) return terminal.red(text);
  if (is_undecided(finding.verdict)) return terminal.yellow(text);
  return terminal.green(text);
}

/// As a person reads it; what is no key of a case stays as it is.
std::string shown_case(const std::string& key) { return one_line(short_case_key(key)); }

/// The findings of one case and one variant, in the order in which they came.
struct CaseLine {
  std::string case_key, variant;
  std::vector<Finding> findings;
};

std::vector<CaseLine> case_lines(const GateReport& report) {
  std::vector<CaseLine> lines;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (const Finding& finding : report.findings) {
    if (finding.case_key.empty()) continue;
    const auto [place, added] =
        places.emplace(std::pair(finding.case_key, finding.variant), lines.size());
    if (added) lines.push_back({finding.case_key, finding.variant, {}});
    lines[place->second].findings.push_back(finding);
  }
  return lines;
}

/// The targets that were judged, in the order in which they were.
std::string targets_text(const CaseLine& line) {
  std::vector<std::string> targets;
  for (const Finding& finding : line.findings)
    if (std::find(targets.begin(), targets.end(), finding.target) == targets.end())
      targets.push_back(finding.target);
  return fmt::format("{}", fmt::join(targets, " "));
}

/// A finding that fails, with the command that shows it again.
std::string problem_text(const GateReport& report, const Finding& finding,
                         const Terminal& terminal) {
  std::string out =
      terminal.red(fmt::format("{} {}", to_string(finding.verdict), one_line(finding.rule)));
  if (!finding.target.empty()) out += " on " + one_line(finding.target);
  if (!finding.place.file.empty())
    out += fmt::format(" ({}:{})", one_line(finding.place.file), finding.place.line);
  out += "\n" + wrapped("  " + one_line(message_of(finding)), 4);
  if (!finding.case_key.empty() && finding.case_key != report.name)
    out += fmt::format("  {}\n", shown_case(finding.case_key));
  if (!finding.variant.empty()) out += fmt::format("  {}\n", one_line(finding.variant));
  if (!finding.reproduce.empty())
    out += fmt::format("  show it again:\n    {}\n", one_line(finding.reproduce));
  return out;
}

std::string suite_text(const SuiteFinding& suite) {
  std::string text = fmt::format("{} {}, {}", to_string(suite.verdict),
                                 suite.group.empty() ? "all" : one_line(suite.group),
                                 counted(suite.cases, "case"));
  if (suite.ratio) text += ": geometric mean " + ratio_text(suite.ratio);
  if (!suite.reason.empty()) text += "; " + one_line(suite.reason);
  return text;
}

std::string numbered_steps(const Finding& finding) {
  std::string out;
  std::size_t number = 0;
  for (const std::string& step : finding.chain)
    out += wrapped(fmt::format("    {}. {}", ++number, one_line(step)), 7);
  return out;
}

std::string same_key(const std::string& key) {
  try {
    return parse_case_key(key).key();
  } catch (const UserError&) {
  } catch (const EvalError&) {
  }
  return key;
}

}  // namespace

std::string cases_text(const GateReport& report, const GateRules& rules, const Terminal& terminal) {
  using Align = TextTable::Align;
  const bool timed = std::any_of(report.findings.begin(), report.findings.end(),
                                 [](const Finding& finding) { return finding.ratio.has_value(); });
  std::vector<std::string> header{"verdict", "case", "variant"};
  if (timed) header.insert(header.end(), {"ratio", "detectable"});
  header.push_back("on");
  TextTable table(header, {Align::left, Align::left, Align::right});
  VariantLegend legend;
  std::vector<std::string> colours;
  for (const CaseLine& line : case_lines(report)) {
    const Finding worst = worst_first(line.findings, rules).front();
    const std::string verdict(to_string(worst.verdict));
    std::vector<std::string> row{verdict, shown_case(line.case_key),
                                 line.variant.empty() ? "" : legend.number(one_line(line.variant))};
    if (timed)
      row.insert(
          row.end(),
          {ratio_text(worst.ratio),
           worst.detectable_percent ? fmt::format("{:.1f} %", *worst.detectable_percent) : ""});
    row.push_back(targets_text(line));
    table.add(std::move(row));
    colours.push_back(painted(worst, rules, terminal, verdict));
  }
  if (table.empty()) return "";
  // A table counts columns, and colours have none: they are painted afterwards.
  constexpr std::size_t kHeadLines = 2;
  std::string out;
  std::size_t number = 0;
  const std::string text = table.text(kLineWidth);
  for (std::size_t at = 0; at < text.size(); ++number) {
    const std::size_t end = text.find('\n', at) + 1;
    std::string row = text.substr(at, end - at);
    if (number >= kHeadLines && number - kHeadLines < colours.size())
      row = colours[number - kHeadLines] + row.substr(std::min(row.find(' '), row.size()));
    out += row;
    at = end;
  }
  return out + legend.text() + "\n";
}

std::string problems_text(const GateReport& report, const GateRules& rules,
                          const Terminal& terminal, std::size_t findings_max) {
  std::string out;
  std::size_t failing = 0;
  std::map<std::string, std::pair<std::size_t, Finding>> others;
  for (const Finding& finding : worst_first(findings_to_show(report), rules)) {
    if (fails(finding, rules)) {
      if (++failing <= findings_max) out += problem_text(report, finding, terminal);
    } else if (finding.verdict != Verdict::pass && finding.rule != "perf/suite") {
      const std::string kind =
          fmt::format("{} {} on {}", to_string(finding.verdict), finding.rule, finding.target);
      ++others.try_emplace(kind, 0, finding).first->second.first;
    }
  }
  if (failing > findings_max)
    out += fmt::format("{} in the files of --junit, --sarif and --report\n",
                       counted(static_cast<long long>(failing - findings_max), "more failure"));
  for (const auto& [kind, found] : others)
    out += wrapped(fmt::format("{}: {}, the first: {}", one_line(kind),
                               counted(static_cast<long long>(found.first), "finding"),
                               one_line(message_of(found.second))),
                   2);
  return out.empty() ? out : out + "\n";
}

std::string outcome_lines(const GateReport& report, const GateRules& rules,
                          const Terminal& terminal) {
  std::string out;
  for (const SuiteFinding& suite : report.suites) out += wrapped(suite_text(suite), 2);
  const bool passed = exit_code_of(report, rules) == ExitCode::pass;
  const std::string outcome = outcome_text(report, rules);
  return out + wrapped(fmt::format("{}; {}", counts_text(report), coverage_text(report)), 2) +
         fmt::format("gate {}: {}\n", one_line(report.name),
                     passed ? terminal.green(outcome) : terminal.red(outcome));
}

std::string decision_text(const GateReport& report, const std::string& case_key) {
  const std::string wanted = same_key(case_key);
  std::string out;
  std::set<std::string> keys;
  for (const Finding& finding : report.findings) {
    keys.insert(finding.case_key);
    if (finding.case_key != wanted && finding.case_key != case_key) continue;
    out += wrapped(fmt::format("{} {} on {}: {}", to_string(finding.verdict), finding.rule,
                               finding.target, one_line(message_of(finding))),
                   2);
    if (!finding.variant.empty()) out += fmt::format("  {}\n", one_line(finding.variant));
    out += numbered_steps(finding);
  }
  if (out.empty())
    throw UserError(unknown_name("case of this gate", case_key, {keys.begin(), keys.end()}));
  return shown_case(wanted) + "\n" + out + "\n";
}

}  // namespace fusetune
