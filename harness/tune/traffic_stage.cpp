#include "harness/tune/traffic_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "harness/base/hash.hpp"
#include "harness/tune/traffic.hpp"
#include "harness/verify/arena.hpp"
#include "harness/verify/binding.hpp"
#include "harness/verify/inputs.hpp"

namespace fusetune {

namespace {

/// Part of every trace's key: raised when accesses are counted otherwise than before.
constexpr const char* kTraceProtocol = "trace 1";
constexpr std::int64_t kRowsMax = 128;
/// So that what happens at the edge of a grid does not hide what happens inside.
constexpr std::int64_t kBlocksWanted = 4;

/// The most blocks of one launch of the variant that runs fewest; 0 where one launches nothing.
std::int64_t blocks_of(const PlannedGeometry& geometry, const Case& which, const Target& target,
                       const DeviceFacts& device) {
  std::optional<std::int64_t> fewest;
  for (const Variant& variant : geometry.variants) {
    const ImplementationDecl* implementation =
        geometry.geometry.family->find_implementation(variant.implementation);
    if (implementation->launches.empty()) continue;
    try {
      std::int64_t blocks = 0;
      for (const Launch& launch : launches_of(which, variant, target, device))
        blocks = std::max(blocks, launch.grid[0] * launch.grid[1] * launch.grid[2]);
      fewest = std::min(fewest.value_or(blocks), blocks);
    } catch (const EvalError&) {
      continue;  // it is told where the variant is traced
    }
  }
  return fewest.value_or(0);
}

class TrafficStage {
 public:
  TrafficStage(const Plan& plan, const DeviceProperties& device, Session& session)
      : plan_(plan), device_(device), session_(session) {
    for (const PlannedGeometry& geometry : plan.geometries)
      summary_.cases.push_back(traced_case(geometry, plan.target, device.facts));
  }

  TrafficSummary run(const CompileSummary& compiled, const ProofSummary* proofs) {
    for (const CompiledUnit& unit : compiled.units)
      if (unit.target == plan_.target && is_wanted(unit, proofs)) add(unit);
    std::vector<const Step*> open;
    for (const auto& [key, step] : steps_)
      if (!take_from_store(step)) open.push_back(&step);
    if (open.empty()) return std::move(summary_);
    session_.progress.begin("trace", static_cast<std::int64_t>(open.size()), summary_.reused);
    WorkerPool pool(worker_role("device", job_count(session_.options)));
    for (const Step* step : open) submit(pool, *step);
    pool.run(session_.stop, [this] { session_.progress.tick(); });
    session_.progress.end();
    return std::move(summary_);
  }

 private:
  /// One trace; several variants may be the same code and launches.
  struct Step {
    std::string key;
    const CompiledUnit* unit = nullptr;
    std::vector<std::size_t> members;  ///< indices into the summary's variants
  };

  static bool is_wanted(const CompiledUnit& unit, const ProofSummary* proofs) {
    if (!unit.exact || !unit.exact->outcome.ok()) return false;
    if (proofs == nullptr) return true;
    const ProvedVariant* proved = proofs->find(unit.geometry, unit.variant);
    return proved != nullptr && proved->outcome.ok();
  }

  const Variant& variant_of(const CompiledUnit& unit) const {
    return plan_.geometries[unit.geometry].variants[unit.variant];
  }

  void add(const CompiledUnit& unit) {
    TracedVariant traced;
    traced.geometry = unit.geometry;
    traced.variant = unit.variant;
    try {
      const std::string key = key_of(unit);
      Step& step = steps_[key];
      if (step.members.empty()) step = {key, &unit, {}};
      step.members.push_back(summary_.variants.size());
    } catch (const EvalError& error) {
      traced.outcome = {Status::launch_error, error.what()};
    }
    summary_.variants.push_back(std::move(traced));
  }

  // The compilation's key and not the code's identity: two sources whose code is the same differ
  // in their lines.
  std::string key_of(const CompiledUnit& unit) const {
    const Case& which = summary_.cases[unit.geometry];
    return hash_hex(fmt::format(
        "{}|{}|{}|{}|{}|{}", kTraceProtocol, unit.exact_key, device_.target.name,
        session_.options.seed, fusetune::to_json(which).dump(),
        launch_plan_key(launches_of(which, variant_of(unit), device_.target, device_.facts))));
  }

  bool take_from_store(const Step& step) {
    const std::optional<StepRecord> record =
        session_.records.find(StepRecord::Kind::traffic, step.key);
    if (!record) return false;
    if (record->status != Status::ok && session_.options.retry_failed) {
      session_.records.forget(StepRecord::Kind::traffic, step.key);
      return false;
    }
    spread(step, {record->status, record->message}, traffic_from_json(record->data.at("traffic")));
    summary_.reused += std::ssize(step.members);
    return true;
  }

  void spread(const Step& step, const Outcome& outcome, const TracedTraffic& traffic) {
    for (const std::size_t member : step.members) {
      summary_.variants[member].outcome = outcome;
      summary_.variants[member].traffic = traffic;
    }
  }

  void submit(WorkerPool& pool, const Step& step) {
    Job job;
    job.request = Json{{"op", "trace"},
                       {"device", plan_.sweep.device},
                       {"code", step.unit->exact->code_path.string()},
                       {"variant", fusetune::to_json(variant_of(*step.unit))},
                       {"case", fusetune::to_json(summary_.cases[step.unit->geometry])},
                       {"seed", session_.options.seed}};
    job.limit = std::chrono::milliseconds(
        static_cast<std::int64_t>(session_.options.kernel_timeout_s * 1000));
    job.done = [this, &step](const JobEnd& end) { finish(step, end); };
    pool.submit(std::move(job));
  }

  void finish(const Step& step, const JobEnd& end) {
    if (end.how == JobEnd::How::cancelled) return;
    Outcome outcome;
    TracedTraffic traffic;
    if (end.how == JobEnd::How::timed_out) {
      outcome = {Status::kernel_timeout, "the traced kernel did not end in time"};
    } else if (end.how != JobEnd::How::answered) {
      outcome = {Status::worker_lost, "the device worker was lost while tracing"};
    } else if (end.answer.contains("error")) {
      outcome = {Status::launch_error, end.answer["error"].get<std::string>()};
    } else {
      outcome = {status_from_string(end.answer.at("status").get<std::string>())
                     .value_or(Status::launch_error),
                 end.answer.at("message").get<std::string>()};
      traffic = traffic_from_json(end.answer.at("traffic"));
    }
    spread(step, outcome, traffic);
    add_record(step, end.wall_ms);
    summary_.traced += std::ssize(step.members);
    session_.progress.advance(!outcome.ok());
  }

  void add_record(const Step& step, double wall_ms) {
    const TracedVariant& traced = summary_.variants[step.members.front()];
    const Geometry& geometry = plan_.geometries[traced.geometry].geometry;
    StepRecord record;
    record.kind = StepRecord::Kind::traffic;
    record.key = step.key;
    record.subject = fmt::format("{} | {} | {}", geometry.key(),
                                 variant_of(*step.unit).key(*geometry.family), plan_.target.name);
    record.status = traced.outcome.status;
    record.message = traced.outcome.message;
    record.data = Json{{"case", summary_.cases[traced.geometry].key()},
                       {"traffic", fusetune::to_json(traced.traffic)}};
    record.wall_ms = wall_ms;
    session_.records.add(record);
  }

  const Plan& plan_;
  const DeviceProperties& device_;
  Session& session_;
  TrafficSummary summary_;
  std::map<std::string, Step> steps_;  ///< by key
};

/// Accesses that are traced are not judged: whatever happens, the next proof must not be traced.
class Tracing {
 public:
  explicit Tracing(Device& device) : device_(device) { device.trace(true); }
  ~Tracing() { device_.trace(false); }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

 private:
  Device& device_;
};

/// Runs the launches once on the inputs of the first pass.
Outcome run_once(Device& device, const RunnableVariant& runnable, const Case& which,
                 std::uint64_t seed) {
  const Tracing tracing(device);
  Arena arena(device, which, Place::low, seed);
  arena.write(Inputs(which, seed).images(0, Poison::a));
  device.schedule(0);
  if (Outcome outcome = enqueue(device, *runnable.code, bind(runnable, which, arena));
      !outcome.ok())
    return outcome;
  return device.synchronize();
}

}  // namespace

const TracedVariant* TrafficSummary::find(std::size_t geometry, std::size_t variant) const {
  for (const TracedVariant& one : variants)
    if (one.geometry == geometry && one.variant == variant && one.outcome.ok()) return &one;
  return nullptr;
}

std::optional<MemoryCost> TrafficSummary::cost(std::size_t geometry, std::size_t variant) const {
  const TracedVariant* known = find(geometry, variant);
  if (known == nullptr) return std::nullopt;
  return memory_cost(known->traffic);
}

MemoryCost memory_cost(const TracedTraffic& traffic) {
  return {totals_of(traffic, false).segments_32, totals_of(traffic, true).bank_passes};
}

Case traced_case(const PlannedGeometry& geometry, const Target& target, const DeviceFacts& device) {
  std::vector<const Case*> small;
  for (const PlannedCase& planned : geometry.cases)
    if (planned.which.rows() >= 1 && planned.which.rows() <= kRowsMax)
      small.push_back(&planned.which);
  std::stable_sort(small.begin(), small.end(),
                   [](const Case* a, const Case* b) { return a->rows() < b->rows(); });
  for (const Case* which : small)
    if (blocks_of(geometry, *which, target, device) >= kBlocksWanted) return *which;
  if (!small.empty()) return *small.back();
  return cases_at_rows(geometry.cases.front().which, kRowsMax).front();
}

TrafficSummary trace_plan(const Plan& plan, const CompileSummary& compiled,
                          const ProofSummary* proofs, const DeviceProperties& device,
                          Session& session) {
  return TrafficStage(plan, device, session).run(compiled, proofs);
}

Json handle_trace_request(Device& device, const Json& request) {
  const Case which = case_from_json(request.at("case"));
  Outcome outcome;
  const std::unique_ptr<LoadedCode> code =
      device.load(request.at("code").get<std::string>(), &outcome);
  TracedTraffic traffic;
  if (code) {
    const RunnableVariant runnable{
        code.get(), launches_of(which, variant_from_json(request.at("variant")),
                                device.properties().target, device.properties().facts)};
    outcome = run_once(device, runnable, which, request.at("seed").get<std::uint64_t>());
    traffic = device.traced();
    if (outcome.ok() && traffic.sites.empty() && !runnable.launches.empty())
      outcome = {Status::launch_error, "the device saw no access"};
  }
  return Json{{"status", std::string(to_string(outcome.status))},
              {"message", outcome.message},
              {"traffic", fusetune::to_json(traffic)},
              {"retire", !outcome.ok()}};
}

}  // namespace fusetune
