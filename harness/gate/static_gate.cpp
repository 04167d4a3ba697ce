#include "harness/gate/static_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/gate/static_facts.hpp"
#include "harness/gate/static_findings.hpp"

namespace fusetune {

namespace {

namespace fs = std::filesystem;

/// The targets of one wave size: those whose code runs here, and those that are compiled for alone.
struct WaveTargets {
  std::string device;  ///< "host-w64"
  bool with_host = false;
  std::vector<Target> compile_only;
};

std::vector<WaveTargets> targets_by_wave(const StaticGateRequest& request) {
  std::vector<std::string> names = request.targets;
  if (names.empty()) {
    names = {"host-w64", "host-w32"};
    names.insert(names.end(), request.sweep.also_compile.begin(), request.sweep.also_compile.end());
  }
  std::vector<WaveTargets> waves{{"host-w64", false, {}}, {"host-w32", false, {}}};
  for (const std::string& name : names) {
    const Target target = parse_target(name);
    WaveTargets& wave = waves[target.wave_size == 64 ? 0 : 1];
    if (target.platform == Platform::simulated)
      throw UserError("the simulated device compiles nothing: it has no facts to judge");
    if (target.platform == Platform::host)
      wave.with_host = true;
    else if (std::find(wave.compile_only.begin(), wave.compile_only.end(), target) ==
             wave.compile_only.end())
      wave.compile_only.push_back(target);
  }
  return waves;
}

Sweep sweep_for(const StaticGateRequest& request, const WaveTargets& wave) {
  Sweep sweep = request.sweep;
  sweep.device = wave.device;
  sweep.also_compile.clear();
  for (const Target& target : wave.compile_only) sweep.also_compile.push_back(target.name);
  return sweep;
}

/// The accepted facts of a sweep are in a folder of its name.
void require_folder_name(const std::string& sweep) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  if (sweep.empty() || sweep.front() == '.' || sweep.find_first_not_of(kPlain) != std::string::npos)
    throw UserError(fmt::format(
        "the sweep's name '{}' cannot name a folder of accepted facts: letters, digits, '-', '_' "
        "and '.' can",
        sweep));
}

class StaticGate {
 public:
  StaticGate(const StaticGateRequest& request, Session& session)
      : request_(request), session_(session) {}

  StaticGateResult run() {
    require_folder_name(request_.sweep.name);
    report().name = request_.sweep.name;
    for (const WaveTargets& wave : targets_by_wave(request_))
      if (!report().interrupted) run_wave(wave);
    report().session = {{"harness_version", harness_version()},
                        {"sweep", request_.sweep.name},
                        {"sweep_file", display_path(request_.sweep.file)},
                        {"sweep_hash", request_.sweep.content_hash},
                        {"rules_hash", request_.rules.content_hash},
                        {"compilers", compilers_},
                        {"unavailable", unavailable_},
                        {"seed", std::to_string(session_.options.seed)}};
    return std::move(result_);
  }

 private:
  GateReport& report() { return result_.report; }

  void run_wave(const WaveTargets& wave) {
    if (!wave.with_host && wave.compile_only.empty()) return;
    const Sweep sweep = sweep_for(request_, wave);
    if (sweep.entries.empty()) return;  // the exit code says that nothing was compared
    Plan plan = make_plan(sweep, Models::load_default(), parse_target(wave.device));
    places_ = places_of_cases(plan);
    if (wave.with_host) {
      run_host(plan);
    } else {
      plan.target = wave.compile_only.front();
      const CompileSummary compiled = compile_plan(plan, session_, false);
      report().interrupted = session_.stop();
      for (const Target& target : targets_of(plan)) judge_target(plan, compiled, target);
    }
  }

  void run_host(const Plan& plan) {
    const DeviceProperties device = device_properties(plan.sweep.device);
    const Campaign campaign = verify_campaign(plan, device, session_);
    report().interrupted = campaign.interrupted;
    judge_proofs(plan, campaign);
    if (request_.on_campaign) request_.on_campaign(plan, campaign);
    if (!campaign.interrupted && campaign.compiled.unavailable.count(plan.target.name) == 0) {
      const TrafficSummary traffic = trace_plan(plan, campaign.compiled, device, session_);
      report().interrupted = session_.stop();
      judge_traces(plan, campaign, traffic);
    }
    for (const Target& target : plan.compile_only) judge_target(plan, campaign.compiled, target);
  }

  /// A target without a compiler is told once. Also of a compiler that proved not to know it.
  bool is_missing(const Plan& plan, const CompileSummary& compiled, const Target& target) {
    std::string why;
    const auto unavailable = compiled.unavailable.find(target.name);
    if (unavailable != compiled.unavailable.end()) why = unavailable->second;
    std::int64_t units = 0;
    for (const CompiledUnit& unit : compiled.units) {
      if (unit.target != target) continue;
      ++units;
      if (why.empty() && unit.code.outcome.status == Status::unsupported_target)
        why = unit.code.outcome.message;
    }
    if (why.empty()) return false;
    unavailable_[target.name] = why;
    Finding finding;
    finding.rule = "static/target";
    finding.family = plan.sweep.name;
    finding.target = target.name;
    const auto& named = request_.targets;
    const bool asked = std::find(named.begin(), named.end(), target.name) != named.end();
    finding.verdict = asked ? Verdict::env_changed : Verdict::skipped;
    finding.reason =
        fmt::format("nothing compiled for {}, {} not judged: {}", target.name, units, why);
    finding.chain = {finding.reason};
    finding.place = {display_path(plan.sweep.file), 1, 1};
    finding.reproduce = fmt::format("fusetune gate {} --static --target {}",
                                    display_path(plan.sweep.file), target.name);
    report().expected += units;
    report().findings.push_back(std::move(finding));
    return true;
  }

  void judge_proofs(const Plan& plan, const Campaign& campaign) {
    if (is_missing(plan, campaign.compiled, plan.target)) return;
    for (const ProvedVariant& proved : campaign.proofs.variants) {
      ++report().expected;
      report().findings.push_back(
          judge_proof(proved,
                      finding_of(plan, places_, proved.geometry, proved.variant, plan.target,
                                 plan.sweep.device),
                      report().compared));
    }
  }

  /// What is accepted of a target, kept for as long as the findings are made.
  FactsBase base_of(const std::string& target, const std::string& compiler) {
    const fs::path file = accepted_path(request_.accepted, request_.sweep.name, target);
    FactsBase base{nullptr, compiler};
    if (!fs::exists(file)) return base;
    accepted_.push_back(std::make_unique<AcceptedFacts>(load_accepted(file)));
    if (accepted_.back()->target != target)
      throw UserError(
          fmt::format("{} holds facts of {}", display_path(file), accepted_.back()->target));
    base.accepted = accepted_.back().get();
    return base;
  }

  void judge_traces(const Plan& plan, const Campaign& campaign, const TrafficSummary& traffic) {
    if (traffic.variants.empty()) return tell_no_traces(plan);
    const FactsBase base = base_of(plan.target.name, "");
    AcceptedFacts observed{plan.sweep.name, plan.target.name, "", {}};
    for (const TracedVariant& traced : traffic.variants) {
      ++report().expected;
      Finding begun = finding_of(plan, places_, traced.geometry, traced.variant, plan.target,
                                 plan.sweep.device);
      begun.case_key = traffic.cases[traced.geometry].key();
      begun.reproduce = fmt::format("fusetune inspect --case '{}' --variant '{}' --target {}",
                                    begun.case_key, begun.variant, begun.target);
      if (!traced.outcome.ok()) {
        report().findings.push_back(untraced(campaign, traced, std::move(begun)));
        continue;
      }
      observed.entries.push_back(facts_entry(plan, traced, traffic.cases[traced.geometry]));
      add(judge_entry(request_.rules, base, observed.entries.back(), begun, report().compared));
    }
    finish_target(plan, base, std::move(observed));
  }

  /// Without EXACT mode there is no instrumented code to trace.
  void tell_no_traces(const Plan& plan) {
    Finding finding;
    finding.rule = "static/trace";
    finding.family = plan.sweep.name;
    finding.target = plan.target.name;
    finding.verdict = Verdict::skipped;
    finding.reason = "nothing was traced: there is no instrumented code (--exact-rows)";
    finding.chain = {finding.reason};
    finding.place = {display_path(plan.sweep.file), 1, 1};
    ++report().expected;
    report().findings.push_back(std::move(finding));
  }

  /// A variant whose proof failed is told of by that; one that is proved and has no trace is not
  /// fine.
  static Finding untraced(const Campaign& campaign, const TracedVariant& traced, Finding begun) {
    const ProvedVariant* proved = campaign.proofs.find(traced.geometry, traced.variant);
    const bool failed_before = proved == nullptr || !proved->outcome.ok();
    begun.rule = "static/trace";
    begun.verdict = failed_before ? Verdict::skipped : Verdict::env_changed;
    begun.reason =
        fmt::format("not traced: {}: {}", to_string(traced.outcome.status), traced.outcome.message);
    begun.chain = {begun.reason};
    return begun;
  }

  void judge_target(const Plan& plan, const CompileSummary& compiled, const Target& target) {
    if (is_missing(plan, compiled, target)) return;
    const std::string& compiler = compiled.compilers.at(target.name);
    compilers_[target.name] = compiler;
    const FactsBase base = base_of(target.name, compiler);
    AcceptedFacts observed{plan.sweep.name, target.name, compiler, {}};
    for (const CompiledUnit& unit : compiled.units) {
      if (unit.target != target) continue;
      ++report().expected;
      const Finding begun = finding_of(plan, places_, unit.geometry, unit.variant, target, "");
      if (!unit.code.outcome.ok()) {
        report().findings.push_back(judge_compilation(unit, base, begun));
        continue;
      }
      observed.entries.push_back(facts_entry(plan, unit));
      add(judge_entry(request_.rules, base, observed.entries.back(), begun, report().compared));
    }
    finish_target(plan, base, std::move(observed));
  }

  /// What is accepted and is no longer planned: a selection that shrank must not pass for that.
  void finish_target(const Plan& plan, const FactsBase& base, AcceptedFacts observed) {
    if (base.accepted != nullptr && request_.whole) {
      std::set<std::pair<std::string, std::string>> planned;
      for (const PlannedGeometry& geometry : plan.geometries)
        for (const Variant& variant : geometry.variants)
          planned.emplace(geometry.geometry.key(), variant.key(*geometry.geometry.family));
      for (const FactsEntry& entry : base.accepted->entries)
        if (planned.count({entry.geometry, entry.variant}) == 0)
          report().findings.push_back(vanished(*base.accepted, entry));
    }
    if (base.accepted != nullptr) result_.accepted.push_back(*base.accepted);
    result_.observed.push_back(std::move(observed));
  }

  Finding vanished(const AcceptedFacts& accepted, const FactsEntry& entry) {
    ++report().expected;
    Finding finding;
    finding.rule = "static/coverage";
    finding.case_key = entry.geometry;
    finding.family = entry.geometry.substr(0, entry.geometry.find('('));
    finding.target = accepted.target;
    finding.variant = entry.variant;
    finding.verdict = Verdict::env_changed;
    finding.reason = "accepted, but no longer part of the selection: accept again if that is meant";
    finding.chain = {finding.reason};
    finding.place = {
        display_path(accepted_path(request_.accepted, accepted.sweep, accepted.target)), 1, 1};
    finding.reproduce = fmt::format("fusetune gate {} --static", display_path(request_.sweep.file));
    return finding;
  }

  void add(std::vector<Finding> findings) {
    for (Finding& finding : findings) report().findings.push_back(std::move(finding));
  }

  const StaticGateRequest& request_;
  Session& session_;
  StaticGateResult result_;
  std::map<std::string, SourcePlace> places_;
  std::vector<std::unique_ptr<AcceptedFacts>> accepted_;
  std::map<std::string, std::string> compilers_, unavailable_;
};

}  // namespace

StaticGateResult run_static_gate(const StaticGateRequest& request, Session& session) {
  return StaticGate(request, session).run();
}

}  // namespace fusetune
