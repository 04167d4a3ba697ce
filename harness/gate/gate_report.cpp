#include "harness/gate/gate_report.hpp"

#include <algorithm>

namespace fusetune {

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "PASS";
    case Verdict::improvement:
      return "IMPROVEMENT";
    case Verdict::regression:
      return "REGRESSION";
    case Verdict::inconclusive:
      return "INCONCLUSIVE";
    case Verdict::noise_limited:
      return "NOISE_LIMITED";
    case Verdict::verify_fail:
      return "VERIFY_FAIL";
    case Verdict::crash:
      return "CRASH";
    case Verdict::no_baseline:
      return "NO_BASELINE";
    case Verdict::env_changed:
      return "ENV_CHANGED";
    case Verdict::skipped:
      return "SKIPPED";
  }
  return "";
}

ExitCode exit_code_of(Verdict verdict, const GateRules& rules) {
  switch (verdict) {
    case Verdict::pass:
    case Verdict::improvement:
    case Verdict::skipped:
      return ExitCode::pass;
    case Verdict::regression:
      return ExitCode::regression;
    case Verdict::inconclusive:
    case Verdict::noise_limited:
      return rules.strict ? ExitCode::inconclusive : ExitCode::pass;
    case Verdict::verify_fail:
      return ExitCode::verification_failed;
    case Verdict::crash:
      return ExitCode::kernel_crash;
    case Verdict::no_baseline:
      return rules.require_baseline ? ExitCode::unusable : ExitCode::pass;
    case Verdict::env_changed:
      return ExitCode::unusable;
  }
  return ExitCode::internal;
}

ExitCode exit_code_of(const GateReport& report, const GateRules& rules) {
  ExitCode worst = report.compared == 0 ? ExitCode::unusable : ExitCode::pass;
  if (report.interrupted) worst = worst_of(worst, ExitCode::interrupted);
  for (const Finding& finding : report.findings)
    worst = worst_of(worst, exit_code_of(finding.verdict, rules));
  for (const SuiteFinding& suite : report.suites)
    worst = worst_of(worst, exit_code_of(suite.verdict, rules));
  return worst;
}

}  // namespace fusetune
