#include "harness/selftest/timed_selftest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "harness/base/error.hpp"
#include "harness/measure/race.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/scratch_store.hpp"
#include "harness/tune/tool_code.hpp"

namespace fusetune {

namespace {

constexpr const char* kStage = "time what is planted";
/// Of one race, as of a small case in a campaign.
constexpr double kBudgetS = 2;
/// More than the budget: proofs, memory, and the start of a worker.
constexpr std::chrono::seconds kJobLimit{60};

/// A case with the first variant of the tuned implementation, compiled.
struct Subject {
  Case which;
  Variant variant;
  std::filesystem::path code;
};

Subject make_subject(const std::string& key, const Target& target, const std::string& identity,
                     const ScratchStore& scratch, const Session& session) {
  Subject subject;
  subject.which = parse_case_key(key);
  const Family& family = *subject.which.geometry.family;
  SweepEntry entry;
  entry.family = subject.which.geometry.family;
  std::vector<Pruned> pruned;
  subject.variant =
      enumerate_variants(subject.which.geometry, *family.find_implementation(family.tuned), target,
                         entry, SpaceChoice{}, &pruned)
          .front();
  const CompileRequest request =
      make_compile_request(subject.which.geometry, subject.variant, target, false);
  const std::string code_key = request.key(identity);
  const JobEnd end = ask_worker("compile",
                                Json{{"op", "compile"},
                                     {"store", scratch.store().root().string()},
                                     {"key", code_key},
                                     {"request", to_json(request)}},
                                session.options.compile_timeout_s);
  const std::optional<StoredCode> stored = scratch.store().find(code_key);
  if (!stored || !stored->outcome.ok())
    throw UserError(fmt::format("{} does not compile for {}: {}", key, target.name,
                                stored ? stored->outcome.message : end.last_output));
  subject.code = stored->code_path;
  return subject;
}

std::vector<const Plant*> chosen(const std::vector<std::string>& names) {
  std::vector<const Plant*> list;
  for (const std::string& name : names) list.push_back(&find_plant(name));
  if (names.empty())
    for (const Plant& plant : plants()) list.push_back(&plant);
  return list;
}

Job job_of(const Plant& plant, const Subject& subject, const TimedChoice& choice,
           const std::string& digest_code, const Session& session) {
  RaceOptions options;
  options.budget_s = kBudgetS;
  options.seed = session.options.seed;
  // Both arms are timed to the end, however slow the planted one is.
  options.keep = {0, 1};
  options.queued.confirm_looks = {4, 6};
  Job job;
  job.request = Json{{"op", "mutant"},
                     {"plant", plant.name},
                     {"device", choice.device},
                     {"digest_code", digest_code},
                     {"code", subject.code.string()},
                     {"variant", to_json(subject.variant)},
                     {"case", to_json(subject.which)},
                     {"seed", session.options.seed},
                     {"options", to_json(options)}};
  // What is to hang need not be waited for as long.
  job.limit = plant.kind == Plant::Kind::hangs ? kernel_limit(session.options)
                                               : kJobLimit + kernel_limit(session.options);
  return job;
}

}  // namespace

bool has_timed_path(const Target& target) { return target.platform != Platform::host; }

bool TimedSummary::passed() const {
  return !interrupted && !plants.empty() &&
         std::all_of(plants.begin(), plants.end(), [](const PlantVerdict& verdict) {
           return verdict.false_alarm.empty() && (verdict.found || !verdict.out_of_reach.empty());
         });
}

std::int64_t TimedSummary::found() const {
  return std::count_if(plants.begin(), plants.end(),
                       [](const PlantVerdict& verdict) { return verdict.found; });
}

std::int64_t TimedSummary::within_reach() const {
  return std::count_if(plants.begin(), plants.end(),
                       [](const PlantVerdict& verdict) { return verdict.out_of_reach.empty(); });
}

TimedSummary timed_selftest(const TimedChoice& choice, Session& session) {
  const Target target = target_for(choice.device);
  const std::vector<const Plant*> list = chosen(choice.names);
  std::string why;
  const std::string identity = compiler_identity(target, &why);
  if (identity.empty()) throw UserError(why);
  const ScratchStore scratch;
  const Subject brief = make_subject(choice.brief, target, identity, scratch, session);
  const Subject lengthy = make_subject(choice.lengthy, target, identity, scratch, session);
  EngineOptions of_scratch = session.options;
  of_scratch.store = scratch.store().root();
  const std::string digest_code = digest_code_path(target, of_scratch);
  TimedSummary summary;
  summary.device = choice.device;
  WorkerPool pool(worker_role("device", 1));
  session.progress.begin(kStage, std::ssize(list), 0);
  const std::function<void(const Plant*, bool)> submit = [&](const Plant* plant, bool again) {
    Job job = job_of(*plant, plant->long_launches ? lengthy : brief, choice, digest_code, session);
    job.done = [&, plant, again](const JobEnd& end) {
      if (end.how == JobEnd::How::cancelled) return;
      PlantVerdict verdict = plant_verdict(*plant, end);
      // A machine that others use makes clocks disagree as well.
      if (!again && verdict.found_by == kClocks && plant->found_by.count(std::string(kClocks)) == 0)
        return submit(plant, true);
      session.progress.advance(kStage, verdict.found ? StepEnd::done : StepEnd::failed);
      summary.plants.push_back(std::move(verdict));
    };
    pool.submit(std::move(job));
  };
  for (const Plant* plant : list) submit(plant, false);
  pool.run(session.stop, [&session] { session.progress.tick(); });
  session.progress.end(kStage);
  summary.interrupted = session.stop();
  return summary;
}

Json to_json(const TimedSummary& summary) {
  Json timed = Json::array();
  for (const PlantVerdict& verdict : summary.plants) timed.push_back(to_json(verdict));
  return {{"device", summary.device},
          {"interrupted", summary.interrupted},
          {"timed", std::move(timed)},
          {"passed", summary.passed()}};
}

}  // namespace fusetune
