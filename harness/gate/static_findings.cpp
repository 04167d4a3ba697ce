#include "harness/gate/static_findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/spec/plan_sources.hpp"

namespace fusetune {

namespace {

SourcePlace place_of(const Mark& mark) {
  return {mark.file, std::max(mark.line, 1), std::max(mark.column, 1)};
}

/// What code that could not be had says of a change. A compiler that dies or is late may be the
/// machine's fault.
Verdict verdict_of_compilation(Status status) {
  switch (status) {
    case Status::compile_error:
    case Status::resource_limit:
      return Verdict::regression;
    case Status::skipped:
    case Status::pruned:
      return Verdict::skipped;
    default:
      return Verdict::env_changed;
  }
}

std::string fact_label(const FactVerdict& verdict) {
  return fmt::format("{}_of_{}", verdict.fact, verdict.part);
}

/// The steps that lead from the facts to the verdict, those that decide it first.
std::vector<std::string> steps_of(const std::vector<FactVerdict>& verdicts,
                                  const std::string& first) {
  std::vector<std::string> steps{first};
  for (const FactVerdict& verdict : verdicts)
    steps.push_back(
        fmt::format("{}: {} ({})", to_string(verdict.verdict), verdict.text, verdict.rule->id));
  return steps;
}

struct Identity {
  bool same_code = false;
  bool other_compiler = false;
  std::string text;
};

Identity identity_of(const FactsBase& base, const FactsEntry* accepted,
                     const FactsEntry& observed) {
  Identity identity;
  if (accepted == nullptr) {
    identity.text = base.accepted == nullptr ? "nothing is accepted for this target yet"
                                             : "this variant has no accepted facts yet";
    return identity;
  }
  identity.same_code =
      !observed.code_identity.empty() && observed.code_identity == accepted->code_identity;
  identity.other_compiler = base.accepted->compiler != base.compiler;
  if (identity.same_code)
    identity.text = fmt::format("the same machine code as accepted, {}", observed.code_identity);
  else if (observed.code_identity.empty())
    identity.text = "facts of a trace";
  else
    identity.text = fmt::format("machine code {}, accepted is {}", observed.code_identity,
                                accepted->code_identity);
  if (identity.other_compiler)
    identity.text +=
        fmt::format("; compiled by {}, accepted of {}", base.compiler, base.accepted->compiler);
  return identity;
}

/// One finding of the verdicts of one rule that are of one kind.
Finding finding_for(const std::vector<const FactVerdict*>& verdicts, Verdict verdict,
                    Finding finding) {
  finding.verdict = verdict;
  finding.rule = verdicts.front()->rule->id;
  std::string texts;
  for (const FactVerdict* one : verdicts) {
    texts += (texts.empty() ? "" : "; ") + one->text;
    if (one->observed) finding.numbers[fact_label(*one)] = static_cast<double>(*one->observed);
    if (one->accepted)
      finding.numbers["accepted_" + fact_label(*one)] = static_cast<double>(*one->accepted);
  }
  finding.reason = verdict == Verdict::improvement
                       ? texts + ": better than accepted, accept it to keep it"
                       : fmt::format("{}: {}", texts, verdicts.front()->rule->reason);
  return finding;
}

/// By rule, in the order of the rules' ids.
std::map<std::string, std::vector<const FactVerdict*>> by_rule(
    const std::vector<FactVerdict>& verdicts, Verdict wanted) {
  std::map<std::string, std::vector<const FactVerdict*>> rules;
  for (const FactVerdict& verdict : verdicts)
    if (verdict.verdict == wanted) rules[verdict.rule->id].push_back(&verdict);
  return rules;
}

/// Of a variant that broke no rule and improved on none.
Finding quiet_finding(const std::vector<FactVerdict>& verdicts, const FactsEntry* accepted,
                      const Identity& identity, Finding finding) {
  finding.rule = "static/facts";
  for (const FactVerdict& verdict : verdicts)
    if (verdict.observed)
      finding.numbers[fact_label(verdict)] = static_cast<double>(*verdict.observed);
  if (accepted == nullptr) {
    finding.verdict = Verdict::no_baseline;
    finding.reason = identity.text + "; what has a limit of its own is within it";
  } else {
    finding.verdict = Verdict::pass;
    finding.reason = identity.same_code
                         ? "the same machine code as accepted"
                         : fmt::format("{} facts are no worse than accepted", verdicts.size());
    if (identity.other_compiler && !identity.same_code)
      finding.reason += ", though another compiler made them";
  }
  return finding;
}

}  // namespace

std::map<std::string, SourcePlace> places_of_cases(const Plan& plan) {
  std::map<std::string, SourcePlace> places;
  const Models models = Models::load_default();
  for (const SweepEntry& entry : plan.sweep.entries)
    for (const Source& source : sources_of(entry, models)) {
      if (!source.unfit.empty()) continue;
      const Mark& mark = source.mark.line > 0 ? source.mark : entry.mark;
      for (const PlannedCase& planned : cases_of(entry, source).cases)
        places.emplace(planned.which.key(), place_of(mark));
    }
  return places;
}

Finding finding_of(const Plan& plan, const std::map<std::string, SourcePlace>& places,
                   std::size_t geometry, std::size_t variant, const Target& target,
                   const std::string& device) {
  const PlannedGeometry& planned = plan.geometries[geometry];
  Finding finding;
  finding.case_key = planned.cases.front().which.key();
  finding.family = planned.geometry.family->name;
  finding.target = target.name;
  finding.variant = planned.variants[variant].key(*planned.geometry.family);
  const auto place = places.find(finding.case_key);
  if (place != places.end()) finding.place = place->second;
  Failure failure;
  failure.case_key = finding.case_key;
  failure.variant_key = finding.variant;
  failure.target = finding.target;
  failure.device = device;
  finding.reproduce = repro_command(failure);
  return finding;
}

std::vector<Finding> judge_entry(const StaticRules& rules, const FactsBase& base,
                                 const FactsEntry& observed, const Finding& begun,
                                 std::int64_t& compared) {
  const FactsEntry* accepted =
      base.accepted == nullptr ? nullptr : base.accepted->find(observed.geometry, observed.variant);
  const Identity identity = identity_of(base, accepted, observed);
  const std::vector<FactVerdict> verdicts = judge_facts(rules, accepted, observed);
  Finding finding = begun;
  finding.chain = steps_of(verdicts, identity.text);
  if (accepted != nullptr && !verdicts.empty()) ++compared;
  const bool blame_compiler = identity.other_compiler && !identity.same_code;
  std::vector<Finding> findings;
  for (const auto& [rule, broken] : by_rule(verdicts, Verdict::regression)) {
    findings.push_back(
        finding_for(broken, blame_compiler ? Verdict::env_changed : Verdict::regression, finding));
    if (blame_compiler) findings.back().reason += "; " + identity.text;
  }
  if (!findings.empty()) return findings;
  for (const auto& [rule, better] : by_rule(verdicts, Verdict::improvement))
    findings.push_back(finding_for(better, Verdict::improvement, finding));
  if (findings.empty())
    findings.push_back(quiet_finding(verdicts, accepted, identity, std::move(finding)));
  return findings;
}

Finding judge_proof(const ProvedVariant& proved, Finding begun, std::int64_t& compared) {
  begun.rule = "verify/proof";
  std::int64_t comparisons = 0;
  for (const CheckCount& check : proved.checks) {
    comparisons += check.comparisons;
    begun.numbers["compared_" + check.name] = static_cast<double>(check.comparisons);
    begun.chain.push_back(fmt::format("{}: {} {}", check.name, check.comparisons, check.unit));
  }
  for (const std::string& reason : proved.left_out) begun.chain.push_back("left out: " + reason);
  if (comparisons > 0) ++compared;
  begun.numbers["proved_runs"] = static_cast<double>(proved.cases);
  switch (exit_code_of(proved.outcome.status)) {
    case ExitCode::pass:
      begun.verdict = proved.outcome.ok() && comparisons > 0 ? Verdict::pass : Verdict::skipped;
      begun.reason = begun.verdict == Verdict::pass
                         ? fmt::format("proved {} on {} runs", proved.modes(), proved.cases)
                         : "nothing was compared: " + proved.outcome.message;
      return begun;
    case ExitCode::verification_failed:
      begun.verdict = Verdict::verify_fail;
      break;
    case ExitCode::kernel_crash:
      begun.verdict = Verdict::crash;
      break;
    default:
      begun.verdict = verdict_of_compilation(proved.outcome.status);
  }
  if (!proved.failed_check.empty()) begun.rule = "verify/" + proved.failed_check;
  if (!proved.failed_case.empty()) {
    Failure failure;
    failure.case_key = proved.failed_case;
    failure.variant_key = begun.variant;
    failure.target = begun.target;
    begun.reproduce = repro_command(failure);
    begun.chain.push_back("failed on " + proved.failed_case);
  }
  begun.reason = fmt::format("{}: {}", to_string(proved.outcome.status), proved.outcome.message);
  begun.chain.push_back(begun.reason);
  return begun;
}

Finding judge_compilation(const CompiledUnit& unit, const FactsBase& base, Finding begun) {
  begun.rule = "static/compile";
  begun.reason =
      fmt::format("{}: {}", to_string(unit.code.outcome.status), unit.code.outcome.message);
  begun.chain.push_back(begun.reason);
  begun.verdict = verdict_of_compilation(unit.code.outcome.status);
  if (begun.verdict == Verdict::regression && base.accepted != nullptr &&
      base.accepted->compiler != base.compiler) {
    begun.verdict = Verdict::env_changed;
    begun.chain.push_back(
        fmt::format("compiled by {}, accepted of {}", base.compiler, base.accepted->compiler));
  }
  return begun;
}

}  // namespace fusetune
