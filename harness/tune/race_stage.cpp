#include "harness/tune/race_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>

#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/measure/roofline.hpp"
#include "harness/tune/calibration_stage.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/lost_worker.hpp"
#include "harness/tune/race_choice.hpp"
#include "harness/tune/race_notes.hpp"
#include "harness/tune/tool_code.hpp"

namespace fusetune {

namespace {

/// Part of every race's key: raised when the protocol measures otherwise than before.
constexpr const char* kRaceProtocol = "race 5";
constexpr const char* kRace = "race";
/// Loading, first launch, probe, both epochs there and back, and the proof after: more cannot each
/// take as long as an arm's first launch may, or the budget ends them.
constexpr int kLongStepsPerArm = 8;
constexpr const char* kNotMeasured = "not measured before the run was interrupted";

/// What tells variants apart whose rows have other bits; "" of one that does not qualify.
std::string batch_class_of(const ProvedVariant& proved) {
  return proved.batch && proved.batch->qualifies() ? proved.batch->digest : "";
}

/// A number for each class of equal bits.
std::vector<std::int32_t> groups_of(const CaseRace& race) {
  const std::set<std::string> classes(race.classes.begin(), race.classes.end());
  std::vector<std::int32_t> groups;
  for (const std::string& one : race.classes)
    groups.push_back(static_cast<std::int32_t>(std::distance(classes.begin(), classes.find(one))));
  return groups;
}

}  // namespace

RaceResult race_result_of(const JobEnd& end, std::size_t arms) {
  RaceResult result;
  if (end.how != JobEnd::How::answered) {
    result.outcome = outcome_of_lost(end);
    const auto at = end.noted ? RaceMoment::from_subject(*end.noted, arms) : std::nullopt;
    if (!at) return result;
    result.failed_arm = at->arm;
    result.outcome.message = fmt::format("{}: {}", at->after_timing ? kAfterTiming : kWhileTimed,
                                         result.outcome.message);
  } else if (end.answer.contains("error")) {
    result.outcome = {Status::launch_error, end.answer["error"].get<std::string>()};
  } else {
    result = race_from_json(end.answer);
  }
  return result;
}

RaceStage::RaceStage(const Plan& plan, const CompileSummary& compiled, const ProofSummary& proofs,
                     const TrafficSummary& traffic, const DeviceProperties& device,
                     Session& session, WorkerPool& pool, RaceSummary& summary)
    : plan_(plan),
      compiled_(compiled),
      proofs_(proofs),
      traffic_(traffic),
      device_(device),
      session_(session),
      pool_(pool),
      summary_(summary),
      kind_(plan.sweep.measure.for_search ? StepRecord::Kind::search : StepRecord::Kind::race) {
  if (plan.sweep.measure.for_search) {
    options_.immediate = search_rules(options_.immediate);
    options_.queued = search_rules(options_.queued);
  }
  options_.cold = plan.sweep.measure.data == "cold";
  options_.seed = session.options.seed;
  // On the host the system knows its cache, and nothing hangs on it.
  if (!is_timed_on_host(device)) calibration_ = kept_calibration(device, session.options.store);
  digest_code_ = digest_code_path(device.target, session.options);
  if (calibration_) options_.cache_bytes = calibration_->cache_bytes;
  options_.probe_cutoff = plan.sweep.measure.probe_cutoff;
  options_.budget_s = plan.sweep.measure.budget_s /
                      static_cast<double>(std::max<std::int64_t>(1, plan.case_count()));
}

void RaceStage::begin() {
  for (std::size_t g = 0; g < plan_.geometries.size(); ++g) {
    first_of_.push_back(summary_.races.size());
    for (std::size_t c = 0; c < plan_.geometries[g].cases.size(); ++c) {
      CaseRace& race = summary_.races.emplace_back();
      race.geometry = g;
      race.planned_case = c;
      race.result.outcome = {Status::skipped, kNotMeasured};
    }
  }
  keys_.resize(summary_.races.size());
  attempts_.resize(summary_.races.size(), RaceAttempt(0));
  session_.progress.begin(kRace, std::ssize(summary_.races), 0);
}

void RaceStage::start(std::size_t geometry) {
  for (std::size_t c = 0; c < plan_.geometries[geometry].cases.size(); ++c)
    start_case(first_of_[geometry] + c);
}

void RaceStage::start_case(std::size_t index) {
  CaseRace& race = summary_.races[index];
  keys_[index] = add_arms(race);
  if (!race.arms.empty() && has_launches(race)) {
    if (take_from_store(index)) return;
    attempts_[index] = RaceAttempt(race.arms.size());
    return submit(index);
  }
  session_.progress.advance(kRace, StepEnd::left_out);
  if (!has_launches(race))
    race.result.outcome = {Status::skipped, "nothing is launched for this case"};
  else if (plan_.geometries[race.geometry].batch_invariant)
    race.result.outcome = {Status::skipped,
                           "no variant was proved to give a row the same bits in every batch"};
  else
    race.result.outcome = {Status::skipped, "no variant of this geometry was proved"};
}

void RaceStage::finish(const Incumbents& incumbents) {
  session_.progress.end(kRace);
  if (!plan_.sweep.measure.for_search) choose_winners(plan_, traffic_, incumbents, summary_.races);
}

/// Whether any variant launches anything: none does for no rows.
bool RaceStage::has_launches(const CaseRace& race) const {
  const PlannedGeometry& geometry = plan_.geometries[race.geometry];
  const Case& which = geometry.cases[race.planned_case].which;
  return std::any_of(geometry.variants.begin(), geometry.variants.end(),
                     [&](const Variant& variant) {
                       return !launches_of(which, variant, plan_.target, device_.facts).empty();
                     });
}

/// Fills the arms with proved variants, one per (code, launches). Returns the race's key.
std::string RaceStage::add_arms(CaseRace& race) {
  const PlannedGeometry& geometry = plan_.geometries[race.geometry];
  const Case& which = geometry.cases[race.planned_case].which;
  std::map<std::string, std::size_t> seen;
  std::string text = fmt::format("{}|{}|{}|{}", kRaceProtocol, device_.name,
                                 device_.conditions.dump(), fusetune::to_json(which).dump());
  RaceOptions keyed = options_;
  keyed.budget_s = 0;  // more time for the same measurement is no other measurement
  text += to_json(keyed).dump();
  for (std::size_t v = 0; v < geometry.variants.size(); ++v) {
    const ProvedVariant* proved = proofs_.find(race.geometry, v);
    if (proved == nullptr || !proved->outcome.ok()) continue;
    if (geometry.searched && geometry.searched->slow.count(v) != 0) continue;
    const bool is_baseline =
        geometry.variants[v].implementation == geometry.geometry.family->baseline;
    const std::string batch_class = batch_class_of(*proved);
    if (geometry.batch_invariant && batch_class.empty() && !is_baseline) continue;
    const CompiledUnit* unit = compiled_.find(race.geometry, v, plan_.target);
    const std::vector<Launch> launches =
        launches_of(which, geometry.variants[v], plan_.target, device_.facts);
    if (launches.empty()) continue;
    std::string arm = unit->code.code_identity + "|" + launch_plan_key(launches);
    // The same code with other bits would be found out here, not hidden behind its twin.
    if (geometry.batch_invariant) arm += " of " + batch_class;
    const auto [known, is_new] = seen.emplace(arm, v);
    if (is_new) {
      race.arms.push_back(v);
      text += "|" + arm;
      if (geometry.batch_invariant) race.classes.push_back(batch_class);
    } else if (is_baseline) {
      // The arm speaks for the baseline: what equals it cannot beat it.
      std::replace(race.arms.begin(), race.arms.end(), known->second, v);
      race.same_code_as[known->second] = v;
      known->second = v;
    } else {
      race.same_code_as[v] = known->second;
    }
  }
  const auto qualifies = [](const std::string& one) { return !one.empty(); };
  if (geometry.batch_invariant && std::none_of(race.classes.begin(), race.classes.end(), qualifies))
    race.arms.clear();
  return hash_hex(text);
}

bool RaceStage::take_from_store(std::size_t index) {
  CaseRace& race = summary_.races[index];
  const std::optional<StepRecord> step = session_.records.find(kind_, keys_[index]);
  if (!step) return false;
  race.result = race_from_json(step->data.at("result"));
  // A race that its budget cut short is run again with a larger one.
  const bool cut = std::any_of(race.result.flags.begin(), race.result.flags.end(),
                               [](const std::string& flag) { return flag.starts_with("budget"); });
  // A record from elsewhere may not hold what its key says.
  const bool other_arms = step->data.at("arms").size() != race.arms.size();
  if (step->status != Status::ok || other_arms ||
      (cut && options_.budget_s > step->data.at("budget_s").get<double>())) {
    session_.records.forget(kind_, keys_[index]);
    race.result = {};
    race.result.outcome = {Status::skipped, kNotMeasured};
    return false;
  }
  race.provenance = step->data.at("provenance");
  race.reused = true;
  ++summary_.reused;
  session_.progress.advance(kRace, StepEnd::found);
  return true;
}

void RaceStage::submit(std::size_t index) {
  const CaseRace& race = summary_.races[index];
  const PlannedGeometry& geometry = plan_.geometries[race.geometry];
  const RaceAttempt& attempt = attempts_[index];
  Json arms = Json::array();
  for (const std::int32_t arm : attempt.arms()) {
    const std::size_t v = race.arms[static_cast<std::size_t>(arm)];
    arms.push_back(
        {{"code", compiled_.find(race.geometry, v, plan_.target)->code.code_path.string()},
         {"variant", fusetune::to_json(geometry.variants[v])}});
  }
  RaceOptions options = options_;
  options.groups = groups_of(race);
  for (std::size_t a = 0; a < race.arms.size(); ++a)
    if (geometry.variants[race.arms[a]].implementation == geometry.geometry.family->baseline)
      options.keep.push_back(static_cast<std::int32_t>(a));
  Job job;
  job.request =
      Json{{"op", "race"},
           {"device", plan_.sweep.device},
           {"digest_code", digest_code_},
           {"case", fusetune::to_json(geometry.cases[race.planned_case].which)},
           {"arms", std::move(arms)},
           // What no table is made of is not proved twice.
           {"prove_again",
            !plan_.sweep.measure.for_search &&
                is_proved_at_own_shape(geometry.cases[race.planned_case].which, session_.options)},
           {"options", to_json(attempt.among(options))}};
  // Its worker notes what it runs.
  job.noted_limit = kernel_limit(session_.options);
  job.limit_floor = kernel_limit_floor(session_.options);
  // Of all together, for a worker that writes over its notes.
  job.limit = std::chrono::seconds(60 + static_cast<std::int64_t>(10 * options_.budget_s)) +
              kLongStepsPerArm * std::ssize(attempt.arms()) * job.noted_limit;
  job.second_try = true;
  job.on_note = [this, index](const StepNote& note) { tell(index, note); };
  job.company = is_timed_on_host(device_) ? Company::none : Company::other_pools;
  job.done = [this, index](const JobEnd& end) { finish_attempt(index, end); };
  pool_.submit(std::move(job));
}

/// A race of thousands takes a minute: it says how far it is.
void RaceStage::tell(std::size_t index, const StepNote& note) const {
  const auto all = std::ssize(attempts_[index].arms());
  const bool probes = note.done < all;
  if (probes || note.left <= all)
    session_.progress.within(kRace, fmt::format("{} of {} {}", probes ? note.done : note.left, all,
                                                probes ? "probed" : "left"));
}

void RaceStage::finish_attempt(std::size_t index, const JobEnd& end) {
  if (end.how == JobEnd::How::cancelled) return;
  RaceAttempt& attempt = attempts_[index];
  RaceResult result = race_result_of(end, attempt.arms().size());
  if (!result.outcome.ok() && result.unsure && !attempt.one_by_one()) {
    attempt.look_closer();
    return submit(index);
  }
  if (!result.outcome.ok() && result.failed_arm >= 0) {
    attempt.leave_out(result.failed_arm, result.outcome);
    if (!attempt.arms().empty()) return submit(index);
    result.outcome.message = "no variant is left; the last one " + result.outcome.message;
  }
  CaseRace& race = summary_.races[index];
  race.result = attempt.told_of_all(std::move(result));
  if (calibration_)
    disprove_impossible(plan_.geometries[race.geometry].cases[race.planned_case].which,
                        calibration_->bandwidth, race.result);
  finish_case(index, end.wall_ms);
}

void RaceStage::finish_case(std::size_t index, double wall_ms) {
  add_record(index, wall_ms);
  ++summary_.measured;
  session_.progress.advance(
      kRace, summary_.races[index].result.outcome.ok() ? StepEnd::done : StepEnd::failed);
}

void RaceStage::add_record(std::size_t index, double wall_ms) {
  CaseRace& race = summary_.races[index];
  const PlannedGeometry& geometry = plan_.geometries[race.geometry];
  StepRecord step;
  step.kind = kind_;
  step.key = keys_[index];
  step.subject =
      fmt::format("{} | {}", geometry.cases[race.planned_case].which.key(), device_.name);
  step.status = race.result.outcome.status;
  step.message = race.result.outcome.message;
  Json arms = Json::array();
  Json memory = Json::array();
  for (const std::size_t v : race.arms) {
    arms.push_back(geometry.variants[v].key(*geometry.geometry.family));
    const std::optional<MemoryCost> cost = traffic_.cost(race.geometry, v);
    memory.push_back(
        cost ? Json{{"segments_32", cost->segments_32}, {"bank_passes", cost->bank_passes}}
             : Json());
  }
  race.provenance = Json{{"harness_version", harness_version()},
                         {"compiler", compiled_.compilers.at(plan_.target.name)},
                         {"sweep", plan_.sweep.name},
                         {"conditions", device_.conditions}};
  step.data = Json{{"arms", std::move(arms)},       {"budget_s", options_.budget_s},
                   {"memory", std::move(memory)},   {"classes", race.classes},
                   {"provenance", race.provenance}, {"result", fusetune::to_json(race.result)}};
  if (geometry.searched) step.data["search"] = to_json(*geometry.searched);
  step.wall_ms = wall_ms;
  session_.records.add(std::move(step));
}

}  // namespace fusetune
