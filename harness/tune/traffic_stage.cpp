#include "harness/tune/traffic_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "harness/base/hash.hpp"
#include "harness/tune/lost_worker.hpp"
#include "harness/tune/traffic.hpp"
#include "harness/verify/arena.hpp"
#include "harness/verify/binding.hpp"
#include "harness/verify/inputs.hpp"

namespace fusetune {

namespace {

/// Part of every trace's key: raised when accesses are counted otherwise than before.
constexpr const char* kTraceProtocol = "trace 1";
constexpr const char* kTrace = "trace";
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
  const std::size_t place = index_.find(variants, geometry, variant);
  return place < variants.size() && variants[place].outcome.ok() ? &variants[place] : nullptr;
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

TrafficStage::TrafficStage(const Plan& plan, const CompileSummary& compiled,
                           const DeviceProperties& device, Session& session, WorkerPool& pool,
                           TrafficSummary& summary, std::function<void(const CompiledUnit&)> done)
    : plan_(plan),
      compiled_(compiled),
      device_(device),
      session_(session),
      pool_(pool),
      summary_(summary),
      done_(std::move(done)) {}

void TrafficStage::begin() {
  for (const PlannedGeometry& geometry : plan_.geometries)
    summary_.cases.push_back(traced_case(geometry, plan_.target, device_.facts));
  for (const CompiledUnit& unit : compiled_.units) {
    if (unit.target != plan_.target || unit.exact_key.empty()) continue;
    places_.emplace(&unit, summary_.variants.size());
    TracedVariant& traced = summary_.variants.emplace_back();
    traced.geometry = unit.geometry;
    traced.variant = unit.variant;
  }
  wanted_.resize(summary_.variants.size());
  if (!summary_.variants.empty()) session_.progress.begin(kTrace, std::ssize(summary_.variants), 0);
}

void TrafficStage::start(const CompiledUnit& unit, bool wanted) {
  const auto place = places_.find(&unit);
  if (place == places_.end()) return done_(unit);
  if (!wanted || !unit.exact || !unit.exact->outcome.ok()) {
    session_.progress.advance(kTrace, StepEnd::left_out);
    return done_(unit);
  }
  wanted_[place->second] = true;
  try {
    Step& step = steps_[key_of(unit)];
    if (step.outcome) return give(unit, step, StepEnd::found);
    step.members.push_back(&unit);
    if (step.members.size() > 1) return;
    step.key = key_of(unit);
    if (!take_from_store(step)) submit(step);
  } catch (const EvalError& error) {
    summary_.variants[place->second].outcome = {Status::launch_error, error.what()};
    session_.progress.advance(kTrace, StepEnd::failed);
    done_(unit);
  }
}

void TrafficStage::finish() {
  if (!places_.empty()) session_.progress.end(kTrace);
  std::vector<TracedVariant> wanted;
  for (std::size_t i = 0; i < wanted_.size(); ++i)
    if (wanted_[i]) wanted.push_back(std::move(summary_.variants[i]));
  summary_.variants = std::move(wanted);
}

const Variant& TrafficStage::variant_of(const CompiledUnit& unit) const {
  return plan_.geometries[unit.geometry].variants[unit.variant];
}

// The compilation's key and not the code's identity: two sources whose code is the same differ in
// their lines.
std::string TrafficStage::key_of(const CompiledUnit& unit) const {
  const Case& which = summary_.cases[unit.geometry];
  return hash_hex(fmt::format(
      "{}|{}|{}|{}|{}|{}", kTraceProtocol, unit.exact_key, device_.target.name,
      session_.options.seed, fusetune::to_json(which).dump(),
      launch_plan_key(launches_of(which, variant_of(unit), device_.target, device_.facts))));
}

bool TrafficStage::take_from_store(Step& step) {
  const std::optional<StepRecord> record =
      session_.records.find(StepRecord::Kind::traffic, step.key);
  if (!record) return false;
  if (record->status != Status::ok && session_.options.retry_failed) {
    session_.records.forget(StepRecord::Kind::traffic, step.key);
    return false;
  }
  step.outcome = Outcome{record->status, record->message};
  step.traffic = traffic_from_json(record->data.at("traffic"));
  step.found = true;
  give(*step.members.front(), step, StepEnd::found);
  return true;
}

void TrafficStage::give(const CompiledUnit& unit, const Step& step, StepEnd end) {
  TracedVariant& traced = summary_.variants[places_.at(&unit)];
  traced.outcome = *step.outcome;
  traced.traffic = step.traffic;
  ++(step.found ? summary_.reused : summary_.traced);
  session_.progress.advance(kTrace, end);
  done_(unit);
}

void TrafficStage::submit(Step& step) {
  const CompiledUnit& unit = *step.members.front();
  Job job;
  job.request = Json{{"op", "trace"},
                     {"device", plan_.sweep.device},
                     {"code", unit.exact->code_path.string()},
                     {"variant", fusetune::to_json(variant_of(unit))},
                     {"case", fusetune::to_json(summary_.cases[unit.geometry])},
                     {"seed", session_.options.seed}};
  job.kind = "trace " + plan_.geometries[unit.geometry].geometry.key();
  job.limit = kernel_limit(session_.options);
  job.limit_floor = job.limit;
  job.second_try = true;
  job.done = [this, &step](const JobEnd& end) { finish_step(step, end); };
  pool_.submit(std::move(job));
}

void TrafficStage::finish_step(Step& step, const JobEnd& end) {
  if (end.how == JobEnd::How::cancelled) return;
  if (end.how != JobEnd::How::answered) {
    step.outcome = outcome_of_lost(end);
  } else if (end.answer.contains("error")) {
    step.outcome = Outcome{Status::launch_error, end.answer["error"].get<std::string>()};
  } else {
    step.outcome = Outcome{status_from_string(end.answer.at("status").get<std::string>())
                               .value_or(Status::launch_error),
                           end.answer.at("message").get<std::string>()};
    step.traffic = traffic_from_json(end.answer.at("traffic"));
  }
  add_record(step, end.wall_ms);
  const StepEnd own = step.outcome->ok() ? StepEnd::done : StepEnd::failed;
  for (const CompiledUnit* member : step.members)
    give(*member, step, member == step.members.front() ? own : StepEnd::found);
}

void TrafficStage::add_record(const Step& step, double wall_ms) {
  const CompiledUnit& unit = *step.members.front();
  const Geometry& geometry = plan_.geometries[unit.geometry].geometry;
  StepRecord record;
  record.kind = StepRecord::Kind::traffic;
  record.key = step.key;
  record.subject = fmt::format("{} | {} | {}", geometry.key(),
                               variant_of(unit).key(*geometry.family), plan_.target.name);
  record.status = step.outcome->status;
  record.message = step.outcome->message;
  record.data = Json{{"case", summary_.cases[unit.geometry].key()},
                     {"traffic", fusetune::to_json(step.traffic)}};
  record.wall_ms = wall_ms;
  session_.records.add(std::move(record));
}

TrafficSummary trace_plan(const Plan& plan, const CompileSummary& compiled,
                          const DeviceProperties& device, Session& session) {
  TrafficSummary summary;
  WorkerPool pool(device_workers(device, session.options));
  TrafficStage stage(plan, compiled, device, session, pool, summary, [](const CompiledUnit&) {});
  stage.begin();
  for (const CompiledUnit& unit : compiled.units)
    if (unit.target == plan.target) stage.start(unit, true);
  pool.run(session.stop, [&session] { session.progress.tick(); });
  stage.finish();
  return summary;
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
