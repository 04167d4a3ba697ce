#include "harness/tune/proof_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// Part of every proof's key: raised when the protocol proves more or otherwise than before.
constexpr const char* kProtocol = "fast 1";

/// A loaded machine is no hanging kernel: what passed its limit is tried once more, alone, with
/// this many times the limit.
constexpr double kSecondChance = 3;

std::int64_t bytes_of(const Case& which) {
  std::int64_t bytes = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    bytes += shape_of(which, *tensor).span_bytes();
  return bytes;
}

/// The case with rows further apart, where its tensors allow it. 48 bytes keep every alignment
/// class.
Case with_padded_rows(Case which) {
  constexpr std::int64_t kPaddingBytes = 48;
  for (auto& [name, stride] : which.row_strides) {
    const TensorDecl* tensor = which.geometry.family->find_tensor(name);
    stride += kPaddingBytes / size_bytes(shape_of(which, *tensor).dtype);
  }
  return which;
}

/// The cases that a variant is proved on, without repetition: every second row count with padded
/// rows.
std::vector<Case> cases_for(const PlannedGeometry& geometry, const Variant& variant,
                            const Target& target, const EngineOptions& options, bool own_shapes) {
  std::map<std::string, Case> cases;
  const auto add = [&cases](const Case& which) { cases.emplace(which.key(), which); };
  bool padded = false;
  for (const std::int64_t rows : adversarial_rows(geometry.geometry, variant, target)) {
    for (const PlannedCase& planned : geometry.cases)
      for (const Case& which : cases_at_rows(planned.which, rows))
        add(padded ? with_padded_rows(which) : which);
    padded = !padded;
  }
  for (const PlannedCase& planned : geometry.cases)
    if (is_proved_at_own_shape(planned.which, options) || own_shapes) add(planned.which);
  std::vector<Case> list;
  for (auto& [key, which] : cases) list.push_back(std::move(which));
  return list;
}

/// What a stage is asked to prove.
struct ProofTask {
  const CompiledUnit* unit = nullptr;
  std::function<std::vector<Case>()> cases;  ///< may throw EvalError
};

/// One thing to prove: a code object with its launch plans on a list of cases.
struct ProofJob {
  std::string key;
  std::vector<Case> cases;
  std::vector<std::size_t> members;  ///< indices into ProofSummary::variants
};

std::string proof_key(const std::string& code_identity, const std::vector<Case>& cases,
                      const Variant& variant, const DeviceProperties& device, std::uint64_t seed) {
  std::string text = fmt::format("{}|{}|{}|{}", kProtocol, code_identity, device.target.name, seed);
  for (const Case& which : cases)
    text += fmt::format("|{}|{}", to_json(which).dump(),
                        launch_plan_key(launches_of(which, variant, device.target, device.facts)));
  return hash_hex(text);
}

Json prove_request(const std::string& device, const StoredCode& code, const Variant& variant,
                   const std::vector<Case>& cases, std::uint64_t seed) {
  Json list = Json::array();
  for (const Case& which : cases) list.push_back(to_json(which));
  return Json{{"op", "prove"},
              {"device", device},
              {"code", code.code_path.string()},
              {"variant", to_json(variant)},
              {"cases", std::move(list)},
              {"seed", seed}};
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

/// Verdict of a variant from the worker's answer.
ProvedVariant verdict_of(const Json& answer) {
  ProvedVariant result;
  result.outcome = {};
  for (const Json& item : answer.at("reports")) {
    const ProofReport report = proof_from_json(item.at("report"));
    ++result.cases;
    add_checks(result.checks, report.checks);
    if (report.outcome.ok()) continue;
    result.outcome = report.outcome;
    result.failed_case = item.at("case").get<std::string>();
    result.failed_check = report.failed_check;
    result.mismatches = report.mismatches;
    result.mismatch_count = report.mismatch_count;
    break;
  }
  if (result.cases == 0) result.outcome = {Status::verification_failed, "nothing was compared"};
  return result;
}

Json data_of(const ProvedVariant& proved) {
  Json checks = Json::array();
  for (const CheckCount& check : proved.checks)
    checks.push_back(
        {{"name", check.name}, {"comparisons", check.comparisons}, {"unit", check.unit}});
  Json mismatches = Json::array();
  for (const Mismatch& mismatch : proved.mismatches)
    mismatches.push_back(
        {{"tensor", mismatch.tensor}, {"index", mismatch.index}, {"text", mismatch.text}});
  return Json{{"cases", proved.cases},
              {"checks", std::move(checks)},
              {"failed_case", proved.failed_case},
              {"failed_check", proved.failed_check},
              {"mismatches", std::move(mismatches)},
              {"mismatch_count", proved.mismatch_count}};
}

ProvedVariant from_record(const StepRecord& step) {
  ProvedVariant proved;
  proved.outcome = {step.status, step.message};
  proved.cases = step.data.at("cases").get<std::int64_t>();
  proved.failed_case = step.data.at("failed_case").get<std::string>();
  proved.failed_check = step.data.at("failed_check").get<std::string>();
  proved.mismatch_count = step.data.at("mismatch_count").get<std::int64_t>();
  for (const Json& check : step.data.at("checks"))
    proved.checks.push_back({check.at("name").get<std::string>(),
                             check.at("comparisons").get<std::int64_t>(),
                             check.at("unit").get<std::string>()});
  for (const Json& mismatch : step.data.at("mismatches"))
    proved.mismatches.push_back({mismatch.at("tensor").get<std::string>(),
                                 mismatch.at("index").get<std::int64_t>(),
                                 mismatch.at("text").get<std::string>()});
  return proved;
}

class ProofStage {
 public:
  ProofStage(const Plan& plan, const CompileSummary& compiled, const DeviceProperties& device,
             Session& session)
      : plan_(plan), compiled_(compiled), device_(device), session_(session) {}

  ProofSummary run(const std::vector<ProofTask>& tasks) {
    for (const ProofTask& task : tasks) add_task(task);
    std::vector<const ProofJob*> open;
    for (const auto& [key, job] : jobs_)
      if (!take_from_store(job)) open.push_back(&job);
    session_.progress.begin("prove", static_cast<std::int64_t>(open.size()), summary_.reused);
    WorkerPool pool(worker_role("device", job_count(session_.options)));
    for (const ProofJob* job : open) submit(pool, *job, session_.options.kernel_timeout_s);
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    // One after the other on an idle machine.
    WorkerPool alone(worker_role("device", 1));
    for (const ProofJob* job : std::exchange(late_, {}))
      submit(alone, *job, kSecondChance * session_.options.kernel_timeout_s);
    second_chance_ = true;
    alone.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end();
    for (const ProvedVariant& variant : summary_.variants) {
      summary_.cases += variant.cases;
      add_checks(summary_.checks, variant.checks);
    }
    return std::move(summary_);
  }

 private:
  void add_task(const ProofTask& task) {
    const CompiledUnit& unit = *task.unit;
    ProvedVariant proved;
    proved.geometry = unit.geometry;
    proved.variant = unit.variant;
    if (unit.code.outcome.ok())
      add_job(task, proved);
    else
      proved.outcome = unit.code.outcome;
    summary_.variants.push_back(std::move(proved));
  }

  void add_job(const ProofTask& task, ProvedVariant& proved) {
    const Variant& variant = plan_.geometries[proved.geometry].variants[proved.variant];
    try {
      std::vector<Case> cases = task.cases();
      const std::string key =
          proof_key(task.unit->code.code_identity, cases, variant, device_, session_.options.seed);
      const auto [job, is_new] = jobs_.try_emplace(key);
      if (is_new) {
        job->second.key = key;
        job->second.cases = std::move(cases);
      } else {
        ++summary_.shared;
      }
      job->second.members.push_back(summary_.variants.size());
    } catch (const EvalError& error) {
      proved.outcome = {Status::launch_error, error.what()};
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
    spread(job, from_record(*step));
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
    job.request = prove_request(plan_.sweep.device, unit.code,
                                plan_.geometries[first.geometry].variants[first.variant],
                                proof.cases, session_.options.seed);
    job.limit = std::chrono::milliseconds(static_cast<std::int64_t>(limit_s * 1000));
    const auto at_case = std::make_shared<std::string>(proof.cases.front().key());
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
      verdict = verdict_of(end.answer);
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
  Session& session_;
  ProofSummary summary_;
  std::map<std::string, ProofJob> jobs_;
  std::vector<const ProofJob*> late_;  ///< passed their limit beside others
  bool second_chance_ = false;
};

}  // namespace

const ProvedVariant* ProofSummary::find(std::size_t geometry, std::size_t variant) const {
  for (const ProvedVariant& one : variants)
    if (one.geometry == geometry && one.variant == variant) return &one;
  return nullptr;
}

void add_checks(std::vector<CheckCount>& sums, const std::vector<CheckCount>& more) {
  for (const CheckCount& check : more) {
    const auto known = std::find_if(sums.begin(), sums.end(), [&check](const CheckCount& sum) {
      return sum.name == check.name;
    });
    if (known == sums.end())
      sums.push_back(check);
    else
      known->comparisons += check.comparisons;
  }
}

bool is_proved_at_own_shape(const Case& which, const EngineOptions& options) {
  return bytes_of(which) <= options.proof_bytes_max;
}

ProofSummary prove_plan(const Plan& plan, const CompileSummary& compiled,
                        const DeviceProperties& device, Session& session) {
  std::vector<ProofTask> tasks;
  for (const CompiledUnit& unit : compiled.units) {
    if (unit.target != plan.target) continue;
    const PlannedGeometry& geometry = plan.geometries[unit.geometry];
    tasks.push_back({&unit, [&geometry, &unit, &session, &plan] {
                       return cases_for(geometry, geometry.variants[unit.variant], unit.target,
                                        session.options, plan.own_shapes);
                     }});
  }
  return ProofStage(plan, compiled, device, session).run(tasks);
}

ProofSummary prove_finalists(const Plan& plan, const CompileSummary& compiled,
                             const std::vector<Finalist>& finalists, const DeviceProperties& device,
                             Session& session) {
  std::vector<ProofTask> tasks;
  for (const Finalist& finalist : finalists)
    tasks.push_back({compiled.find(finalist.geometry, finalist.variant, plan.target),
                     [&finalist] { return std::vector<Case>{finalist.which}; }});
  return ProofStage(plan, compiled, device, session).run(tasks);
}

Json handle_prove_request(Device& device, const Json& request,
                          const std::function<void(const Json&)>& progress) {
  const Variant variant = variant_from_json(request.at("variant"));
  Outcome outcome;
  const std::unique_ptr<LoadedCode> code =
      device.load(request.at("code").get<std::string>(), &outcome);
  Json reports = Json::array();
  bool retire = false;
  for (const Json& item : request.at("cases")) {
    const Case which = case_from_json(item);
    progress(Json{{"case", which.key()}});
    ProofReport report;
    if (!code) {
      report.outcome = outcome;
      report.failed_check = "launch";
    } else {
      RunnableVariant runnable;
      runnable.code = code.get();
      runnable.launches =
          launches_of(which, variant, device.properties().target, device.properties().facts);
      // A self-test's mutant may launch another grid.
      for (Launch& launch : runnable.launches) {
        if (const auto blocks = request.value("blocks", std::int64_t{0}); blocks != 0)
          launch.grid[0] = blocks;
        launch.grid[0] -= request.value("blocks_less", std::int64_t{0});
      }
      ProofOptions options;
      options.seed = request.at("seed").get<std::uint64_t>();
      report = prove(device, runnable, which, options);
    }
    reports.push_back({{"case", which.key()}, {"report", to_json(report)}});
    if (report.outcome.ok()) continue;
    retire = report.failed_check == "launch";
    break;
  }
  return Json{{"reports", std::move(reports)}, {"retire", retire}};
}

}  // namespace fusetune
