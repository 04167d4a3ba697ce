#include "harness/tune/proof_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "harness/base/hash.hpp"
#include "harness/tune/batch_cases.hpp"

namespace fusetune {

namespace {

/// Part of every proof's key: raised when the protocol proves more or otherwise than before.
constexpr const char* kProofProtocol = "4";

/// A loaded machine is no hanging kernel: what passed its limit is tried once more, alone, with
/// this many times the limit.
constexpr double kSecondChance = 3;

/// What a stage is asked to prove.
struct ProofTask {
  const CompiledUnit* unit = nullptr;
  std::function<std::vector<ProofCase>()> cases;  ///< may throw EvalError
};

/// One thing to prove: a code object with its launch plans on a list of cases.
struct ProofJob {
  std::string key;
  std::vector<ProofCase> cases;
  std::vector<std::size_t> members;  ///< indices into ProofSummary::variants
};

/// What the computed outputs of a variant are compared with.
struct Baseline {
  const CompiledUnit* unit = nullptr;
  const Variant* variant = nullptr;
  std::string why_not;  ///< there is none; "" as well where none is needed

  Json json() const {
    if (unit == nullptr) return {{"why_not", why_not}};
    return {{"code", unit->code.code_path.string()}, {"variant", to_json(*variant)}};
  }
};

/// Computed outputs alone are compared with it.
bool is_baseline(const PlannedGeometry& geometry, std::size_t variant) {
  const Family& family = *geometry.geometry.family;
  return geometry.variants[variant].implementation == family.baseline && !family.moves_bytes();
}

/// `proved` has the verdicts on baselines: one that is wrong, hangs or faults is its own failure,
/// and may neither blame a variant nor take its worker down.
Baseline baseline_of(const PlannedGeometry& geometry, const CompiledUnit& unit,
                     const CompileSummary& compiled, const ProofSummary& proved) {
  if (is_baseline(geometry, unit.variant) || geometry.geometry.family->moves_bytes()) return {};
  for (std::size_t v = 0; v < geometry.variants.size(); ++v) {
    if (!is_baseline(geometry, v)) continue;
    const CompiledUnit* baseline = compiled.find(unit.geometry, v, unit.target);
    if (baseline == nullptr || !baseline->code.outcome.ok())
      return {.why_not = "it did not compile"};
    const ProvedVariant* verdict = proved.find(unit.geometry, v);
    if (verdict == nullptr) return {.why_not = "it is not to be proved"};
    if (!verdict->outcome.ok()) return {.why_not = "it failed its proof"};
    return {baseline, &geometry.variants[v], ""};
  }
  return {.why_not = "it is not among the variants"};
}

/// What a proof depends on besides its cases.
struct ProofContext {
  const CompiledUnit& unit;
  const Variant& variant;
  const DeviceProperties& device;
  Baseline baseline;
  double cosine_min = -1;
  std::uint64_t seed = 1;
  std::optional<BatchCases> batches;  ///< where a row is to have the same bits in all of them
};

std::string proof_key(const ProofContext& context, const std::vector<ProofCase>& cases) {
  const CompiledUnit& unit = context.unit;
  std::string text = fmt::format("{}|{}|{}|{}|{}|{}", kProofProtocol, unit.code.code_identity,
                                 unit.exact ? unit.exact->code_identity : "",
                                 context.device.target.name, context.cosine_min, context.seed);
  if (const Baseline& baseline = context.baseline; baseline.unit != nullptr)
    text +=
        fmt::format("|{}|{}", baseline.unit->code.code_identity, to_json(*baseline.variant).dump());
  else
    text += "|" + baseline.why_not;
  const auto plan_key = [&context](const Case& which) {
    return launch_plan_key(
        launches_of(which, context.variant, context.device.target, context.device.facts));
  };
  for (const ProofCase& one : cases)
    text += fmt::format("|{}|{}", to_json(one).dump(), plan_key(one.which));
  if (context.batches)
    text +=
        fmt::format("|{}|{}", to_json(*context.batches).dump(), plan_key(context.batches->batch));
  return hash_hex(text);
}

Json prove_request(const std::string& device, const ProofContext& context,
                   const std::vector<ProofCase>& cases) {
  Json list = Json::array();
  for (const ProofCase& one : cases) list.push_back(to_json(one));
  const CompiledUnit& unit = context.unit;
  Json request{{"op", "prove"},
               {"device", device},
               {"code", unit.code.code_path.string()},
               {"exact_code", unit.exact ? unit.exact->code_path.string() : ""},
               {"variant", to_json(context.variant)},
               {"baseline", context.baseline.json()},
               {"cases", std::move(list)},
               {"cosine_min", context.cosine_min},
               {"seed", context.seed}};
  if (context.batches) request["batches"] = to_json(*context.batches);
  return request;
}

/// What became of the code objects of a variant; of the instrumented one with a remark.
Outcome compiled_outcome(const CompiledUnit& unit) {
  if (!unit.code.outcome.ok() || !unit.exact || unit.exact->outcome.ok()) return unit.code.outcome;
  return {unit.exact->outcome.status, "in EXACT mode: " + unit.exact->outcome.message};
}

Outcome outcome_of_lost_worker(const JobEnd& end, const std::string& at_case, double limit_s) {
  if (end.how == JobEnd::How::timed_out)
    return {Status::kernel_timeout,
            fmt::format("the kernel did not end within {} s, nor alone within {} s", limit_s,
                        kSecondChance * limit_s)};
  return {Status::worker_lost,
          fmt::format("the device worker was lost at {} ({})", at_case,
                      end.signal != 0 ? fmt::format("signal {}", end.signal)
                                      : fmt::format("exit code {}", end.exit_code))};
}

class ProofStage {
 public:
  ProofStage(const Plan& plan, const CompileSummary& compiled, const DeviceProperties& device,
             bool with_batches, Session& session)
      : plan_(plan),
        compiled_(compiled),
        device_(device),
        with_batches_(with_batches),
        session_(session) {}

  ProofSummary run(const std::vector<ProofTask>& tasks) {
    for (const ProofTask& task : tasks) {
      ProvedVariant& proved = summary_.variants.emplace_back();
      proved.geometry = task.unit->geometry;
      proved.variant = task.unit->variant;
    }
    // What others are compared with comes first.
    const auto is_first = [this](const ProofTask& task) {
      return is_baseline(plan_.geometries[task.unit->geometry], task.unit->variant);
    };
    for (const bool first : {true, false}) {
      for (std::size_t i = 0; i < tasks.size(); ++i)
        if (is_first(tasks[i]) == first) add_task(tasks[i], i);
      prove_all(first);
    }
    for (const ProvedVariant& variant : summary_.variants) {
      summary_.cases += variant.cases;
      summary_.exact_cases += variant.exact_cases;
      add_checks(summary_.checks, variant.checks);
    }
    return std::move(summary_);
  }

 private:
  /// `member` is the index of its verdict.
  void add_task(const ProofTask& task, std::size_t member) {
    const Outcome compiled = compiled_outcome(*task.unit);
    if (compiled.ok())
      add_job(task, member);
    else
      summary_.variants[member].outcome = compiled;
  }

  /// The jobs that were added since the last call.
  void prove_all(bool first) {
    std::vector<const ProofJob*> open;
    for (const ProofJob* job : std::exchange(added_, {}))
      if (!take_from_store(*job)) open.push_back(job);
    if (first && open.empty()) return;
    session_.progress.begin("prove", static_cast<std::int64_t>(open.size()), summary_.reused);
    WorkerPool pool(worker_role("device", job_count(session_.options)));
    for (const ProofJob* job : open) submit(pool, *job, session_.options.kernel_timeout_s);
    second_chance_ = false;
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    // One after the other on an idle machine.
    WorkerPool alone(worker_role("device", 1));
    for (const ProofJob* job : std::exchange(late_, {}))
      submit(alone, *job, kSecondChance * session_.options.kernel_timeout_s);
    second_chance_ = true;
    alone.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end();
  }

  ProofContext context_of(const CompiledUnit& unit) const {
    const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
    const Variant& variant = geometry.variants[unit.variant];
    std::optional<BatchCases> batches;
    if (with_batches_ && geometry.batch_invariant)
      batches = batch_cases(geometry, variant, plan_.target, session_.options);
    return {unit,
            variant,
            device_,
            baseline_of(geometry, unit, compiled_, summary_),
            geometry.cosine_min,
            session_.options.seed,
            std::move(batches)};
  }

  void add_job(const ProofTask& task, std::size_t member) {
    try {
      std::vector<ProofCase> cases = task.cases();
      const std::string key = proof_key(context_of(*task.unit), cases);
      const auto [job, is_new] = jobs_.try_emplace(key);
      if (is_new) {
        job->second.key = key;
        job->second.cases = std::move(cases);
        added_.push_back(&job->second);
      } else {
        ++summary_.shared;
      }
      job->second.members.push_back(member);
    } catch (const EvalError& error) {
      summary_.variants[member].outcome = {Status::launch_error, error.what()};
    }
  }

  bool take_from_store(const ProofJob& job) {
    const std::optional<StepRecord> step = session_.records.find(StepRecord::Kind::proof, job.key);
    if (!step) return false;
    if (step->status != Status::ok && session_.options.retry_failed) {
      session_.records.forget(StepRecord::Kind::proof, job.key);
      return false;
    }
    ++summary_.reused;
    spread(job, proved_from_record(*step));
    return true;
  }

  /// Gives a verdict to every variant of a job.
  void spread(const ProofJob& job, const ProvedVariant& verdict) {
    for (const std::size_t member : job.members) {
      ProvedVariant& variant = summary_.variants[member];
      const std::size_t geometry = variant.geometry;
      const std::size_t index = variant.variant;
      variant = verdict;
      variant.geometry = geometry;
      variant.variant = index;
    }
  }

  void submit(WorkerPool& pool, const ProofJob& proof, double limit_s) {
    const ProvedVariant& first = summary_.variants[proof.members.front()];
    const CompiledUnit& unit = *compiled_.find(first.geometry, first.variant, plan_.target);
    Job job;
    job.request = prove_request(plan_.sweep.device, context_of(unit), proof.cases);
    job.limit = std::chrono::milliseconds(static_cast<std::int64_t>(limit_s * 1000));
    const auto at_case = std::make_shared<std::string>(proof.cases.front().which.key());
    job.progress = [at_case](const Json& message) {
      *at_case = message.at("case").get<std::string>();
    };
    job.done = [this, &proof, at_case](const JobEnd& end) { finish(proof, end, *at_case); };
    pool.submit(std::move(job));
  }

  void finish(const ProofJob& job, const JobEnd& end, const std::string& at_case) {
    if (end.how == JobEnd::How::cancelled) {
      ProvedVariant cancelled;
      cancelled.outcome = {Status::skipped, "not proved before the run was interrupted"};
      spread(job, cancelled);
      return;
    }
    if (end.how == JobEnd::How::timed_out && !second_chance_) {
      late_.push_back(&job);
      return;
    }
    ProvedVariant verdict;
    if (end.how != JobEnd::How::answered) {
      verdict.outcome = outcome_of_lost_worker(end, at_case, session_.options.kernel_timeout_s);
      verdict.failed_case = at_case;
      verdict.failed_check = "launch";
    } else if (end.answer.contains("error")) {
      verdict.outcome = {Status::launch_error, end.answer["error"].get<std::string>()};
      verdict.failed_case = at_case;
    } else {
      verdict = proved_from_answer(end.answer);
    }
    const ProvedVariant& first = summary_.variants[job.members.front()];
    const PlannedGeometry& geometry = plan_.geometries[first.geometry];
    StepRecord step;
    step.kind = StepRecord::Kind::proof;
    step.key = job.key;
    step.subject = fmt::format("{} | {} | {}", geometry.geometry.key(),
                               geometry.variants[first.variant].key(*geometry.geometry.family),
                               plan_.target.name);
    step.status = verdict.outcome.status;
    step.message = verdict.outcome.message;
    step.data = data_of(verdict);
    step.wall_ms = end.wall_ms;
    session_.records.add(step);
    ++summary_.proved;
    spread(job, verdict);
    session_.progress.advance(!verdict.outcome.ok());
  }

  const Plan& plan_;
  const CompileSummary& compiled_;
  const DeviceProperties& device_;
  bool with_batches_;
  Session& session_;
  ProofSummary summary_;
  std::map<std::string, ProofJob> jobs_;  ///< by key
  std::vector<const ProofJob*> added_;
  std::vector<const ProofJob*> late_;  ///< passed their limit beside others
  bool second_chance_ = false;
};

}  // namespace

const ProvedVariant* ProofSummary::find(std::size_t geometry, std::size_t variant) const {
  for (const ProvedVariant& one : variants)
    if (one.geometry == geometry && one.variant == variant) return &one;
  return nullptr;
}

ProofSummary prove_plan(const Plan& plan, const CapturedCases& captured,
                        const CompileSummary& compiled, const DeviceProperties& device,
                        Session& session) {
  std::vector<ProofTask> tasks;
  for (const CompiledUnit& unit : compiled.units) {
    if (unit.target != plan.target) continue;
    const PlannedGeometry& geometry = plan.geometries[unit.geometry];
    if (geometry.geometry.family->has_captured_truth()) {
      tasks.push_back({&unit, [&geometry, &unit, &session, &captured] {
                         return captured.proof_cases(geometry.geometry, session.options,
                                                     unit.exact.has_value());
                       }});
      continue;
    }
    tasks.push_back({&unit, [&geometry, &unit, &session, &plan] {
                       return proof_cases(geometry, geometry.variants[unit.variant], unit.target,
                                          session.options, unit.exact.has_value(), plan.own_shapes);
                     }});
  }
  return ProofStage(plan, compiled, device, true, session).run(tasks);
}

ProofSummary prove_finalists(const Plan& plan, const CompileSummary& compiled,
                             const std::vector<Finalist>& finalists, const DeviceProperties& device,
                             Session& session) {
  std::vector<ProofTask> tasks;
  for (const Finalist& finalist : finalists)
    tasks.push_back({compiled.find(finalist.geometry, finalist.variant, plan.target), [&finalist] {
                       return std::vector<ProofCase>{{finalist.which, false, false, {}}};
                     }});
  return ProofStage(plan, compiled, device, false, session).run(tasks);
}

}  // namespace fusetune
