#include "harness/tune/proof_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "harness/tune/expected_times.hpp"
#include "harness/tune/lost_worker.hpp"
#include "harness/tune/tool_code.hpp"

namespace fusetune {

namespace {

constexpr const char* kProve = "prove";

/// Computed outputs alone are compared with it.
bool is_baseline(const PlannedGeometry& geometry, std::size_t variant) {
  const Family& family = *geometry.geometry.family;
  return geometry.variants[variant].implementation == family.baseline && !family.moves_bytes();
}

/// What became of the code objects of a variant; of the instrumented one with a remark.
Outcome compiled_outcome(const CompiledUnit& unit) {
  if (!unit.code.outcome.ok() || !unit.exact || unit.exact->outcome.ok()) return unit.code.outcome;
  return {unit.exact->outcome.status, "in EXACT mode: " + unit.exact->outcome.message};
}

}  // namespace

const ProvedVariant* ProofSummary::find(std::size_t geometry, std::size_t variant) const {
  const std::size_t place = index_.find(variants, geometry, variant);
  return place < variants.size() ? &variants[place] : nullptr;
}

ProvedVariant* ProofSummary::find(std::size_t geometry, std::size_t variant) {
  const std::size_t place = index_.find(variants, geometry, variant);
  return place < variants.size() ? &variants[place] : nullptr;
}

ProofStage::ProofStage(const Plan& plan, const CompileSummary& compiled,
                       const DeviceProperties& device, bool with_batches, Session& session,
                       WorkerPool& pool, ProofSummary& summary, std::vector<ProofTask> tasks,
                       std::function<void(std::size_t)> done)
    : plan_(plan),
      compiled_(compiled),
      device_(device),
      with_batches_(with_batches),
      session_(session),
      pool_(pool),
      summary_(summary),
      tasks_(std::move(tasks)),
      done_(std::move(done)),
      geometry_keys_(plan.geometry_keys()),
      digest_code_(digest_code_path(device.target, session.options)),
      is_known_(tasks_.size()) {
  for (const ProofTask& task : tasks_) {
    ProvedVariant& proved = summary_.variants.emplace_back();
    proved.geometry = task.unit->geometry;
    proved.variant = task.unit->variant;
    proved.outcome = {Status::skipped, "not proved before the run was interrupted"};
  }
  for (const PlannedGeometry& geometry : plan.geometries) {
    std::optional<std::size_t>& baseline = baselines_.emplace_back();
    for (std::size_t v = 0; v < geometry.variants.size() && !baseline; ++v)
      if (is_baseline(geometry, v)) baseline = v;
  }
}

void ProofStage::begin() { session_.progress.begin(kProve, std::ssize(tasks_), 0); }

void ProofStage::start(std::size_t task) {
  const CompiledUnit& unit = *tasks_[task].unit;
  if (const Outcome compiled = compiled_outcome(unit); !compiled.ok()) {
    ProvedVariant verdict;
    verdict.outcome = compiled;
    return give(task, verdict, StepEnd::left_out);
  }
  // What others are compared with comes first.
  if (const auto baseline = baseline_task(unit); baseline && !is_known_[*baseline])
    waiting_[*baseline].push_back(task);
  else
    add_job(task);
}

void ProofStage::finish() {
  session_.progress.end(kProve);
  for (const ProvedVariant& variant : summary_.variants) {
    summary_.cases += variant.cases;
    summary_.exact_cases += variant.exact_cases;
    add_checks(summary_.checks, variant.checks);
  }
}

const PlannedGeometry& ProofStage::geometry_of(std::size_t task) const {
  return plan_.geometries[tasks_[task].unit->geometry];
}

std::optional<std::size_t> ProofStage::baseline_task(const CompiledUnit& unit) const {
  const std::optional<std::size_t>& baseline = baselines_[unit.geometry];
  if (!baseline || is_baseline(plan_.geometries[unit.geometry], unit.variant)) return std::nullopt;
  const ProvedVariant* verdict = std::as_const(summary_).find(unit.geometry, *baseline);
  if (verdict == nullptr) return std::nullopt;
  return static_cast<std::size_t>(verdict - summary_.variants.data());
}

/// One that is wrong, hangs or faults is its own failure, and may neither blame a variant nor take
/// its worker down.
Baseline ProofStage::baseline_of(const CompiledUnit& unit) const {
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  if (is_baseline(geometry, unit.variant) || geometry.geometry.family->moves_bytes()) return {};
  const std::optional<std::size_t>& v = baselines_[unit.geometry];
  if (!v) return {.why_not = "it is not among the variants"};
  const CompiledUnit* baseline = compiled_.find(unit.geometry, *v, unit.target);
  if (baseline == nullptr || !baseline->code.outcome.ok()) return {.why_not = "it did not compile"};
  const ProvedVariant* verdict = std::as_const(summary_).find(unit.geometry, *v);
  if (verdict == nullptr) return {.why_not = "it is not to be proved"};
  if (!verdict->outcome.ok()) return {.why_not = "it failed its proof"};
  return {baseline, &geometry.variants[*v], ""};
}

ProofContext ProofStage::context_of(const CompiledUnit& unit) const {
  const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
  const Variant& variant = geometry.variants[unit.variant];
  std::optional<BatchCases> batches;
  if (with_batches_ && geometry.batch_invariant)
    batches = batch_cases(geometry, variant, plan_.target, session_.options);
  return {unit,
          variant,
          device_,
          baseline_of(unit),
          geometry.cosine_min,
          session_.options.seed,
          std::move(batches)};
}

void ProofStage::add_job(std::size_t task) {
  try {
    std::shared_ptr<const ProofCaseList> cases = tasks_[task].cases();
    const std::string key = proof_key(context_of(*tasks_[task].unit), *cases);
    const auto [place, is_new] = jobs_.try_emplace(key);
    ProofJob& job = place->second;
    if (!is_new) {
      ++summary_.shared;
      if (job.verdict) return give(task, *job.verdict, StepEnd::found);
      job.members.push_back(task);
      return;
    }
    job.key = key;
    job.cases = std::move(cases);
    job.members.push_back(task);
    if (!take_from_store(job)) submit(job);
  } catch (const EvalError& error) {
    ProvedVariant verdict;
    verdict.outcome = {Status::launch_error, error.what()};
    give(task, verdict, StepEnd::failed);
  }
}

bool ProofStage::take_from_store(ProofJob& job) {
  const std::optional<StepRecord> step = session_.records.find(StepRecord::Kind::proof, job.key);
  if (!step) return false;
  if (step->status != Status::ok && session_.options.retry_failed) {
    session_.records.forget(StepRecord::Kind::proof, job.key);
    return false;
  }
  ++summary_.reused;
  job.verdict = proved_from_record(*step);
  job.cases.reset();
  give(job.members.front(), *job.verdict, StepEnd::found);
  return true;
}

void ProofStage::submit(ProofJob& proof) {
  const CompiledUnit& unit = *tasks_[proof.members.front()].unit;
  Job job;
  job.request = prove_request(plan_.sweep.device, context_of(unit), digest_code_);
  job.shared = proof.cases->shared();
  job.kind = "prove " + geometry_keys_[unit.geometry];
  job.noted_limit = kernel_limit(session_.options);
  job.limit = proof.cases->limit(job.noted_limit);
  // Most steps take milliseconds, and the first of a large case may not.
  job.limit_floor = job.noted_limit / 2;
  job.second_try = true;
  job.stays = true;
  job.expected_ms = kProofMs;
  if (is_baseline(plan_.geometries[unit.geometry], unit.variant)) job.follow_ms = kProofMs;
  job.done = [this, &proof](JobEnd& end) { finish_job(proof, end); };
  pool_.submit(std::move(job));
}

void ProofStage::finish_job(ProofJob& job, JobEnd& end) {
  if (end.how == JobEnd::How::cancelled) return;
  job.verdict = verdict_of(job, end);
  job.cases.reset();
  const bool proved = end.answer.is_object() && end.answer.contains("proved");
  add_record(job, proved ? std::move(end.answer["proved"]) : data_of(*job.verdict), end.wall_ms);
  ++summary_.proved;
  // Giving it may begin other proofs, which may join this one.
  for (std::size_t i = 0; i < job.members.size(); ++i) {
    const StepEnd own = job.verdict->outcome.ok() ? StepEnd::done : StepEnd::failed;
    give(job.members[i], *job.verdict, i == 0 ? own : StepEnd::found);
  }
}

ProvedVariant ProofStage::verdict_of(const ProofJob& job, const JobEnd& end) const {
  const bool answered = end.how == JobEnd::How::answered;
  if (answered && !end.answer.contains("error")) return proved_from_answer(end.answer);
  ProvedVariant verdict;
  verdict.failed_case = noted_case(job, end.noted.value_or(0));
  if (answered) {
    verdict.outcome = {Status::launch_error, end.answer["error"].get<std::string>()};
    return verdict;
  }
  verdict.failed_check = "launch";
  verdict.outcome = outcome_of_lost(end);
  return verdict;
}

/// A wild worker may have noted anything.
std::string ProofStage::noted_case(const ProofJob& job, std::int64_t at) const {
  const std::vector<ProofCase>& cases = job.cases->cases();
  if (at >= 0 && at < std::ssize(cases)) return cases[static_cast<std::size_t>(at)].which.key();
  const std::optional<BatchCases> batches = context_of(*tasks_[job.members.front()].unit).batches;
  return at == std::ssize(cases) && batches ? batches->batch.key() : cases.front().which.key();
}

void ProofStage::add_record(const ProofJob& job, Json data, double wall_ms) {
  // Of variants with the same code, the first in the plan that is here by now.
  const std::size_t first = *std::min_element(job.members.begin(), job.members.end());
  const PlannedGeometry& geometry = geometry_of(first);
  StepRecord step;
  step.kind = StepRecord::Kind::proof;
  step.key = job.key;
  step.subject =
      fmt::format("{} | {} | {}", geometry_keys_[tasks_[first].unit->geometry],
                  geometry.variants[tasks_[first].unit->variant].key(*geometry.geometry.family),
                  plan_.target.name);
  step.status = job.verdict->outcome.status;
  step.message = job.verdict->outcome.message;
  step.data = std::move(data);
  step.wall_ms = wall_ms;
  session_.records.add(std::move(step));
}

void ProofStage::give(std::size_t task, const ProvedVariant& verdict, StepEnd end) {
  ProvedVariant& variant = summary_.variants[task];
  variant = verdict;
  variant.geometry = tasks_[task].unit->geometry;
  variant.variant = tasks_[task].unit->variant;
  is_known_[task] = true;
  session_.progress.advance(kProve, end);
  done_(task);
  if (const auto waiting = waiting_.extract(task))
    for (const std::size_t other : waiting.mapped()) add_job(other);
}

}  // namespace fusetune
