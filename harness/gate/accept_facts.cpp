// Acceptance of what a gate without a clock has seen.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/gate/static_gate.hpp"

namespace fusetune {

namespace {

/// What acceptance settles: what is worse than before, new or gone. Wrong results and code that is
/// not there are not settled by it.
bool is_settled(const Finding& finding, const StaticRules& rules) {
  if (exit_code_of(finding.verdict, {true, true}) == ExitCode::pass) return true;
  if (finding.rule == "static/coverage" || finding.rule == "static/facts") return true;
  return std::any_of(rules.rules.begin(), rules.rules.end(),
                     [&finding](const StaticRule& rule) { return rule.id == finding.rule; });
}

/// Limits hold whatever is accepted, so nothing beyond one is.
void require_limits(const StaticRules& rules, const AcceptedFacts& observed) {
  for (const FactsEntry& entry : observed.entries)
    for (const FactVerdict& verdict : judge_facts(rules, nullptr, entry))
      if (verdict.verdict != Verdict::pass)
        throw UserError(fmt::format("nothing was accepted: {} by {} of {} on {} ({})", verdict.text,
                                    entry.variant, entry.geometry, observed.target,
                                    verdict.rule->id));
}

}  // namespace

std::vector<std::string> accept_facts(const StaticGateRequest& request,
                                      const StaticGateResult& result) {
  if (!request.whole) throw UserError("--accept takes the whole sweep: leave out --family");
  if (result.report.interrupted) throw UserError("interrupted: nothing was accepted");
  for (const Finding& finding : result.report.findings)
    if (!is_settled(finding, request.rules))
      throw UserError(fmt::format("nothing was accepted: {} of {} on {}: {}", finding.rule,
                                  finding.case_key, finding.target, finding.reason));
  for (const AcceptedFacts& observed : result.observed) require_limits(request.rules, observed);
  std::vector<std::string> lines;
  for (const AcceptedFacts& observed : result.observed) {
    const std::filesystem::path file =
        accepted_path(request.accepted, observed.sweep, observed.target);
    AcceptedFacts before{observed.sweep, observed.target, "", {}};
    for (const AcceptedFacts& one : result.accepted)
      if (one.target == observed.target) before = one;
    const std::vector<std::string> changes = changes_of(before, observed);
    lines.push_back(fmt::format("{}: {} of {} variants changed", display_path(file), changes.size(),
                                observed.entries.size()));
    for (const std::string& change : changes) lines.push_back("  " + change);
    write_file_atomic(file, accepted_text(observed));
  }
  if (lines.empty()) throw UserError("nothing was accepted: nothing could be judged here");
  return lines;
}

}  // namespace fusetune
