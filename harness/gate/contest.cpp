#include "harness/gate/contest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

constexpr const char* kTime = "time";
constexpr double kLaunchBound = 3;  // times the cost of an empty launch

std::string interval_text(const Interval& ratio) {
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio.mid, ratio.low, ratio.high);
}

std::string trial_text(const Trial& trial, const char* observations) {
  if (trial.observations == 0) return fmt::format("too few {} for a look", observations);
  return fmt::format("{} {}: ratio {}", trial.observations, observations,
                     interval_text(trial.ratio));
}

/// "": launches on this path take longer than they cost, or nothing is known of that.
std::string launch_bound_text(const Duel& duel, const std::optional<Calibration>& calibration) {
  if (!calibration) return "";
  for (const LaunchFloor& floor : calibration->floors) {
    const bool own = floor.path == duel.path() || floor.path == "call";
    if (own && duel.candidate_us() < kLaunchBound * floor.us)
      return fmt::format("launch bound: {:.2f} us, of which an empty launch takes {:.2f} us",
                         duel.candidate_us(), floor.us);
  }
  return "";
}

Verdict verdict_of_failure(Status status) {
  switch (exit_code_of(status)) {
    case ExitCode::verification_failed:
      return Verdict::verify_fail;
    case ExitCode::kernel_crash:
      return Verdict::crash;
    default:
      return Verdict::env_changed;
  }
}

}  // namespace

Contest::Contest(Terms terms, const BaselineFile& baseline, const TimedGateRequest& request,
                 const Candidates& candidates, const DeviceProperties& device, Session& session)
    : terms_(std::move(terms)),
      baseline_(baseline),
      request_(request),
      candidates_(candidates),
      device_(device),
      session_(session),
      side_(baseline, sources_of(terms_.file), candidates.plan(), device, session),
      entries_(candidates.size()) {
  for (std::size_t i = 0; i < entries_.size(); ++i) open(i);
  if (!session.stop()) compare_codes();
}

double Contest::delta_of(std::size_t i) const {
  const auto own = request_.family_delta.find(candidates_.which(i).geometry.family->name);
  return terms_.by_family && own != request_.family_delta.end() ? own->second : terms_.delta;
}

SourcePlace Contest::place_of(std::size_t i) const {
  const Family* family = candidates_.which(i).geometry.family.get();
  for (const SweepEntry& entry : request_.plan.sweep.entries)
    if (entry.family->name == family->name && !entry.mark.file.empty())
      return {entry.mark.file, std::max(1, entry.mark.line), std::max(1, entry.mark.column)};
  return {display_path(request_.plan.sweep.file), 1, 1};
}

void Contest::open(std::size_t i) {
  const Case& which = candidates_.which(i);
  Finding& finding = entries_[i].finding;
  finding.rule = terms_.rule;
  finding.case_key = which.key();
  finding.family = which.geometry.family->name;
  finding.target = candidates_.plan().target.name;
  finding.variant = candidates_.variant_key(i);
  finding.verdict = Verdict::skipped;
  finding.reason = "not timed before the run was interrupted";
  finding.place = place_of(i);
  finding.reproduce = terms_.reproduce;
  finding.group = group_of_rows(which.rows());
  finding.chain.push_back(
      fmt::format("candidate {}, by {}", finding.variant, candidates_.gate_case(i).chosen_by));
  const Outcome outcome = candidates_.outcome(i);
  if (!outcome.ok()) return settle_unproved(i, outcome);
  finding.chain.push_back(
      fmt::format("proved on {} in {} cases", finding.target, candidates_.proofs(i)));
  if (candidates_.launches(i).empty()) {
    finding.reason = "nothing is launched for this case";
    return;
  }
  const BaselineCase* accepted = baseline_.find(finding.case_key);
  if (accepted == nullptr) {
    finding.verdict = Verdict::no_baseline;
    finding.reason = fmt::format("{} has nothing for this case: fusetune baseline accept adds it",
                                 terms_.against);
    return;
  }
  entries_[i].number = side_.add(which, *accepted);
  finding.chain.push_back(fmt::format("{} {}, accepted on {} with {}", terms_.against,
                                      accepted->variant_key, accepted->accepted.device,
                                      accepted->accepted.compiler));
  const bool same_place = accepted->accepted.device == device_.name &&
                          accepted->accepted.conditions == device_.conditions &&
                          accepted->accepted.compiler == candidates_.compiler();
  if (!same_place)
    finding.chain.push_back(
        "trend broken: accepted on another device, driver or compiler; both are compiled and timed "
        "here, so the ratio holds");
}

void Contest::settle_unproved(std::size_t i, const Outcome& outcome) {
  Finding& finding = entries_[i].finding;
  if (outcome.status == Status::skipped) {
    finding.reason = outcome.message;
    return;
  }
  finding.verdict = verdict_of_failure(outcome.status);
  const std::string check = candidates_.failed_check(i);
  if (!check.empty()) finding.rule = "verify/" + check;
  finding.reason = fmt::format("the candidate: {}: {}", to_string(outcome.status), outcome.message);
  finding.reproduce = repro_command({outcome.status, candidates_.failed_case(i), finding.variant,
                                     finding.target, outcome.message, request_.plan.sweep.device});
}

void Contest::compare_codes() {
  side_.compile();
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.number || !side_.problem(*entry.number).empty()) continue;
    entry.identical =
        side_.code_identity(*entry.number) == candidates_.unit(i)->code.code_identity &&
        side_.launches(*entry.number) == candidates_.launches(i);
    if (!entry.identical) others.push_back(*entry.number);
  }
  if (session_.stop()) return;
  // What is the candidate's own code was proved with it.
  side_.prove(others);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (!entry.number) continue;
    if (const std::string& problem = side_.problem(*entry.number); !problem.empty()) {
      entry.finding.verdict = Verdict::env_changed;
      entry.finding.reason = problem;
    } else if (entry.identical) {
      entry.finding.verdict = Verdict::pass;
      entry.finding.reason =
          fmt::format("the code and the launches are those of {}", terms_.against);
      entry.finding.ratio = Interval{1, 1, 1};
      entry.finding.numbers["identical"] = 1;
    } else {
      timed_.push_back(i);
    }
  }
  choose_null_pairs();
}

/// A free test of the machine: which ones changes with the seed, and some one is always taken.
void Contest::choose_null_pairs() {
  std::vector<std::pair<std::uint64_t, std::size_t>> identical;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::string& key = entries_[i].finding.case_key;
    if (entries_[i].identical)
      identical.emplace_back(hash64(key.data(), key.size(), session_.options.seed), i);
  }
  std::sort(identical.begin(), identical.end());
  const auto every = static_cast<std::size_t>(std::max<std::int64_t>(1, request_.null_every));
  for (std::size_t k = 0; k < (identical.size() + every - 1) / every; ++k)
    timed_.push_back(identical[k].second);
}

void Contest::time(DuelGround& ground, double noise,
                   const std::optional<Calibration>& calibration) {
  TwoStageRules rules = request_.rules;
  rules.noise = noise;
  std::vector<JudgedPair> pairs;
  for (const std::size_t i : timed_) {
    Entry& entry = entries_[i];
    entry.duel = std::make_unique<Duel>(ground, candidates_.arm(i), side_.arm(*entry.number));
    pairs.push_back({entry.duel.get(), delta_of(i), entry.identical});
  }
  session_.progress.begin(kTime, std::ssize(pairs), 0);
  auto from = std::chrono::steady_clock::now();
  const auto settled = [&](std::size_t pair) {
    const auto now = std::chrono::steady_clock::now();
    entries_[timed_[pair]].finding.seconds += std::chrono::duration<double>(now - from).count();
    from = now;
    session_.progress.advance(
        kTime, entries_[timed_[pair]].duel->failure() ? StepEnd::failed : StepEnd::done);
  };
  std::vector<PairResult> results = judge_pairs(pairs, rules, {session_.stop, settled});
  session_.progress.end(kTime);
  for (std::size_t k = 0; k < timed_.size(); ++k) {
    entries_[timed_[k]].result = std::move(results[k]);
    conclude(timed_[k], noise, calibration);
  }
}

void Contest::conclude_failure(const DuelFailure& failure, Finding& finding) const {
  finding.ratio.reset();
  finding.reason = failure.outcome.message;
  if (failure.outcome.status == Status::skipped) {
    finding.verdict = Verdict::skipped;
  } else if (failure.side == DuelFailure::Side::candidate) {
    finding.verdict = verdict_of_failure(failure.outcome.status);
    if (finding.verdict == Verdict::verify_fail) finding.rule = "verify/timed";
    finding.reason = "the candidate: " + finding.reason;
  } else {
    // A pair that cannot be timed is nothing that the candidate did.
    finding.verdict = Verdict::env_changed;
    if (failure.side == DuelFailure::Side::baseline)
      finding.reason = fmt::format("{}: {}", terms_.against, finding.reason);
  }
}

void Contest::conclude(std::size_t i, double noise, const std::optional<Calibration>& calibration) {
  Entry& entry = entries_[i];
  Finding& finding = entry.finding;
  const PairResult& result = entry.result;
  if (entry.duel->failure()) return conclude_failure(*entry.duel->failure(), finding);
  if (result.failed) {
    finding.verdict = Verdict::skipped;
    finding.reason = "not timed before the run was interrupted";
    finding.ratio.reset();
    return;
  }
  const double delta = effective_delta({delta_of(i), noise});
  finding.chain.push_back("screening, " + trial_text(result.screen, "epochs in one process"));
  if (result.confirmation)
    finding.chain.push_back("confirmation, " + trial_text(*result.confirmation, "fresh processes"));
  for (const std::string& flag : entry.duel->flags()) finding.chain.push_back("note: " + flag);
  finding.numbers["delta_percent"] = 100 * delta;
  finding.numbers["epochs"] = static_cast<double>(result.epochs.size());
  finding.numbers["processes"] = static_cast<double>(result.processes.size());
  finding.numbers["candidate_us"] = entry.duel->candidate_us();
  finding.numbers["baseline_us"] = entry.duel->baseline_us();
  const double detectable = detectable_percent(result.deciding(), delta);
  if (std::isfinite(detectable)) finding.detectable_percent = detectable;
  finding.ratio = result.deciding().ratio;
  finding.verdict = result.judgement.verdict;
  finding.reason = result.judgement.reason;
  if (entry.identical) {
    const Leaning leaning = result.screen.leaning;
    if (leaning == Leaning::slower || leaning == Leaning::faster) {
      finding.verdict = Verdict::env_changed;
      finding.reason = "the same code twice, and this machine tells one from the other";
    } else {
      // That it is equal needs no clock; the timing is a test of the machine, and may not see
      // enough.
      finding.verdict = Verdict::pass;
      finding.reason = "the same code twice, timed to test the machine: " + finding.reason;
    }
  }
  if (const std::string bound = launch_bound_text(*entry.duel, calibration); !bound.empty())
    finding.reason += "; " + bound;
  finding.chain.push_back(fmt::format("{}: {}", to_string(finding.verdict), finding.reason));
}

void Contest::add_suites(GateReport& report) const {
  std::map<std::string, std::vector<SuiteCase>> groups;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    // What is the same code has a ratio of 1 and would hide what others lose.
    if (!entry.duel || entry.identical || entry.duel->failure() || entry.result.failed) continue;
    const GateCase& one = candidates_.gate_case(i);
    groups[entry.finding.group].push_back(
        {std::log(entry.result.deciding().ratio.mid),
         candidates_.plan().geometries[one.geometry].cases[one.planned_case].weight});
  }
  for (const auto& [group, cases] : groups) {
    SuiteFinding suite = judge_suite(group, cases);
    if (terms_.rule == "perf/anchor") {
      // The anchor's limit is for what many releases add up to; only single cases have one.
      suite.group += " (anchor)";
      if (suite.verdict == Verdict::regression) suite.verdict = Verdict::inconclusive;
    }
    report.suites.push_back(std::move(suite));
  }
}

/// What the baseline has and nobody asked about: a gate that shrinks says so.
void Contest::add_unselected(GateReport& report) const {
  std::set<std::string> selected;
  for (std::size_t i = 0; i < candidates_.size(); ++i) selected.insert(candidates_.which(i).key());
  for (const auto& [key, accepted] : baseline_.cases) {
    if (selected.count(key) != 0) continue;
    Finding finding;
    finding.rule = terms_.rule;
    finding.case_key = key;
    finding.family = baseline_.snapshots.at(accepted.snapshot).family;
    finding.target = candidates_.plan().target.name;
    finding.variant = accepted.variant_key;
    finding.verdict = Verdict::skipped;
    finding.reason = fmt::format("{} has this case and the sweep has not", terms_.against);
    finding.place = {display_path(terms_.file), 1, 1};
    finding.reproduce = terms_.reproduce;
    ++report.expected;
    report.findings.push_back(std::move(finding));
  }
}

void Contest::report(GateReport& report) {
  for (Entry& entry : entries_) {
    ++report.expected;
    if (entry.finding.ratio) ++report.compared;
  }
  add_suites(report);
  for (Entry& entry : entries_) report.findings.push_back(std::move(entry.finding));
  add_unselected(report);
}

}  // namespace fusetune
