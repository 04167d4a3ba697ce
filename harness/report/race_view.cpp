#include "harness/report/race_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

#include "harness/measure/choose.hpp"
#include "harness/spec/plan.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/certificate_figures.hpp"

namespace fusetune {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct RecordedRace {
  std::vector<std::string> arms;
  std::vector<Variant> variants;  ///< one per arm
  RaceResult result;
  ChoiceRules rules;
};

RecordedRace recorded_race(const StepRecord& step, const Family& family) {
  RecordedRace race;
  race.arms = step.data.at("arms").get<std::vector<std::string>>();
  race.result = race_from_json(step.data.at("result"));
  for (std::size_t a = 0; a < race.arms.size(); ++a) {
    const Variant& variant = race.variants.emplace_back(parse_variant_key(family, race.arms[a]));
    race.rules.simplicity.push_back(simplicity_rank(family, variant));
    if (variant.implementation == family.baseline)
      race.rules.baseline = static_cast<std::int32_t>(a);
  }
  return race;
}

bool is_timed(const RecordedRace& race, std::int32_t arm) {
  return std::any_of(race.result.samples.begin(), race.result.samples.end(),
                     [arm](const Sample& sample) { return sample.arm == arm; });
}

/// Throws std::invalid_argument where nothing can be chosen.
Choice choice_of_race(RecordedRace& race) {
  if (!is_timed(race, race.rules.baseline)) race.rules.baseline = -1;
  return choose(race.result, race.rules);
}

TimedVariant::Standing standing_of(const Choice& choice, const ArmVerdict& verdict) {
  if (verdict.arm == choice.arm) return TimedVariant::Standing::chosen;
  return verdict.tied ? TimedVariant::Standing::tied : TimedVariant::Standing::slower;
}

void add_raced(const RecordedRace& race, const Choice& choice, ReportCase& shown) {
  for (const ArmVerdict& verdict : choice.verdicts) {
    TimedVariant& one = shown.timed.emplace_back();
    one.key = race.arms[static_cast<std::size_t>(verdict.arm)];
    one.is_baseline = verdict.arm == race.rules.baseline;
    one.standing = standing_of(choice, verdict);
    one.us = verdict.summary.median_us;
    one.low_us = verdict.summary.low_us;
    one.high_us = verdict.summary.high_us;
  }
}

/// Arms of which there is the probe's single span alone; on the scale of the race by what the
/// fastest took in both.
void add_dropped(const RecordedRace& race, ReportCase& shown) {
  if (shown.timed.empty() || race.result.probe_us.empty()) return;
  const TimedVariant& reference = shown.timed.front();
  const auto arm = std::find(race.arms.begin(), race.arms.end(), reference.key) - race.arms.begin();
  const double probe_us = race.result.probe_us.at(static_cast<std::size_t>(arm));
  const double scale = probe_us > 0 ? reference.us / probe_us : 1;
  for (const std::int32_t dropped : race.result.dropped) {
    TimedVariant one;
    one.key = race.arms[static_cast<std::size_t>(dropped)];
    one.standing = TimedVariant::Standing::dropped;
    one.us = scale * race.result.probe_us.at(static_cast<std::size_t>(dropped));
    one.low_us = one.high_us = kUnknown;
    shown.timed.push_back(std::move(one));
  }
}

void sort_timed(ReportCase& shown) {
  std::stable_sort(shown.timed.begin(), shown.timed.end(),
                   [](const TimedVariant& a, const TimedVariant& b) { return a.us < b.us; });
  if (shown.timed.empty()) return;
  for (TimedVariant& one : shown.timed) one.over_best = one.us / shown.timed.front().us;
}

ReportRow row_of(const RecordedRace& race, const Choice& choice, const ReportCase& shown,
                 const Json& provenance) {
  ReportRow row;
  row.rows_low = row.rows_high = row.tuned_at = shown.rows;
  row.in_table = false;
  row.variant = race.arms[static_cast<std::size_t>(choice.arm)];
  row.is_default = choice.is_default;
  row.read_bytes = shown.read_bytes;
  row.write_bytes = shown.write_bytes;
  row.certificate = certificate_of(choice, race.arms, race.rules.baseline >= 0);
  row.provenance = provenance_of(provenance, race.result.data);
  return row;
}

ReportCase case_of(const Case& which, const StepRecord& step, const RecordedRace& race) {
  ReportCase shown;
  shown.key = which.key();
  shown.label = short_key(which);
  shown.rows = which.rows();
  shown.outcome = {step.status, step.message};
  shown.record = step.key;
  shown.data = race.result.data;
  shown.stopped_by = race.result.stopped_by;
  shown.flags = race.result.flags;
  const Traffic traffic = traffic_of(which);
  shown.read_bytes = traffic.read_bytes;
  shown.write_bytes = traffic.write_bytes;
  for (const Disproof& disproof : race.result.disproved)
    shown.fates[race.arms[static_cast<std::size_t>(disproof.arm)]] = {
        disproof.outcome.status, "race", disproof.outcome.message, step.key};
  if (!step.message.empty() && race.result.failed_arm >= 0)
    shown.fates[race.arms[static_cast<std::size_t>(race.result.failed_arm)]] = {
        step.status, "race", step.message, step.key};
  return shown;
}

}  // namespace

RaceView race_view(const StepRecord& step) {
  const std::size_t bar = step.subject.rfind(" | ");
  if (bar == std::string::npos) throw std::invalid_argument("its subject names no device");
  RaceView view;
  view.device = step.subject.substr(bar + 3);
  const Case which = parse_case_key(step.subject.substr(0, bar));
  view.geometry = which.geometry;
  RecordedRace race = recorded_race(step, *which.geometry.family);
  view.shown = case_of(which, step, race);
  if (step.status != Status::ok) return view;
  try {
    const Choice choice = choice_of_race(race);
    add_raced(race, choice, view.shown);
    sort_timed(view.shown);
    add_dropped(race, view.shown);
    sort_timed(view.shown);
    view.row = row_of(race, choice, view.shown, step.data.at("provenance"));
    view.shown.chosen = view.row.variant;
    view.decided = true;
  } catch (const std::invalid_argument& nothing) {
    view.shown.outcome = {Status::skipped, nothing.what()};
  }
  return view;
}

void add_searched(const StepRecord& step, ReportCase& shown) {
  const Case which = parse_case_key(shown.key);
  RecordedRace race = recorded_race(step, *which.geometry.family);
  const auto baseline = std::find_if(shown.timed.begin(), shown.timed.end(),
                                     [](const TimedVariant& one) { return one.is_baseline; });
  if (baseline == shown.timed.end() || step.status != Status::ok) return;
  const double baseline_us = baseline->us;
  std::set<std::string> known;
  for (const TimedVariant& one : shown.timed) known.insert(one.key);
  const Choice choice = choice_of_race(race);
  if (race.rules.baseline < 0) return;
  for (const ArmVerdict& verdict : choice.verdicts) {
    TimedVariant one;
    one.key = race.arms[static_cast<std::size_t>(verdict.arm)];
    if (!known.insert(one.key).second || !(verdict.over_baseline.mid > 0)) continue;
    one.standing = TimedVariant::Standing::searched;
    one.us = baseline_us / verdict.over_baseline.mid;
    one.low_us = one.high_us = kUnknown;
    shown.timed.push_back(std::move(one));
  }
  sort_timed(shown);
}

}  // namespace fusetune
