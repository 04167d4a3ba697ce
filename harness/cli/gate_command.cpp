#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/timed_gate_request.hpp"
#include "harness/gate/timed_gate.hpp"
#include "harness/tune/case_plan.hpp"

namespace fusetune {

namespace {

Json ratio_json(const std::optional<Interval>& ratio) {
  if (!ratio) return nullptr;
  return {{"low", ratio->low}, {"estimate", ratio->mid}, {"high", ratio->high}};
}

Json report_json(const GateReport& report, const GateRules& rules) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings)
    findings.push_back({{"rule", finding.rule},
                        {"case", finding.case_key},
                        {"verdict", to_string(finding.verdict)},
                        {"variant", finding.variant},
                        {"reason", finding.reason},
                        {"ratio", ratio_json(finding.ratio)},
                        {"numbers", finding.numbers},
                        {"chain", finding.chain},
                        {"group", finding.group}});
  Json suites = Json::array();
  for (const SuiteFinding& suite : report.suites)
    suites.push_back({{"group", suite.group},
                      {"verdict", to_string(suite.verdict)},
                      {"ratio", ratio_json(suite.ratio)},
                      {"cases", suite.cases},
                      {"reason", suite.reason}});
  return {{"session", report.session},
          {"exit_code", static_cast<int>(exit_code_of(report, rules))},
          {"compared", report.compared},
          {"expected", report.expected},
          {"findings", std::move(findings)},
          {"suites", std::move(suites)}};
}

void print_report(const GateReport& report) {
  for (const Finding& finding : report.findings) {
    fmt::print("{:<13} {}\n", to_string(finding.verdict), finding.case_key);
    if (finding.ratio)
      fmt::print("  ratio {:.3f} [{:.3f}, {:.3f}]\n", finding.ratio->mid, finding.ratio->low,
                 finding.ratio->high);
    fmt::print("{}", wrapped("  " + finding.reason, 4));
  }
  for (const SuiteFinding& suite : report.suites)
    fmt::print("{:<13} {}: {}\n", to_string(suite.verdict), suite.group, suite.reason);
  fmt::print("{} of {} compared\n", report.compared, report.expected);
}

}  // namespace

ExitCode gate_command(const GlobalOptions& global, const GateOptions& options) {
  const GateRules rules{options.strict, options.require_baseline};
  const GateReport report = timed_gate_report(global, options);
  if (global.json)
    fmt::print("{}\n", report_json(report, rules).dump(2));
  else
    print_report(report);
  return exit_code_of(report, rules);
}

}  // namespace fusetune
