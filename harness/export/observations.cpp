#include "harness/export/observations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "harness/base/error.hpp"
#include "harness/measure/race.hpp"

namespace fusetune {

namespace {

constexpr std::string_view kBar = " | ";

/// The newest steps of a kind by their subject, "geometry | variant | target".
using StepsBySubject = std::map<std::string, const StepRecord*, std::less<>>;

StepsBySubject newest(const RecordSet& set, StepRecord::Kind kind) {
  StepsBySubject steps;
  for (const StepRecord& step : set.steps)
    if (step.kind == kind) steps[step.subject] = &step;
  return steps;
}

/// The target that the campaign of a step's run was for; "" where that is not known.
std::string target_of(const RecordSet& set, const StepRecord& step) {
  for (const RunRecord& run : set.runs) {
    if (run.id != step.run) continue;
    for (const CampaignRecord& campaign : set.campaigns)
      if (campaign.key == run.campaign && campaign.plan.is_object())
        if (const auto target = campaign.plan.find("target");
            target != campaign.plan.end() && target->is_string())
          return target->get<std::string>();
  }
  return "";
}

class CaseReader {
 public:
  CaseReader(const RecordSet& set) : set_(set) {
    compiled_ = newest(set, StepRecord::Kind::compile);
    proved_ = newest(set, StepRecord::Kind::proof);
  }

  ObservedCase read(const StepRecord& race) const {
    ObservedCase observed;
    const std::size_t bar = race.subject.rfind(kBar);
    observed.which = parse_case_key(race.subject.substr(0, bar));
    observed.device = race.subject.substr(bar + kBar.size());
    const std::string target = target_of(set_, race);
    observed.target = parse_target(target.empty() ? observed.device : target);
    const RaceResult result = race_from_json(race.data.at("result"));
    observed.data = result.data;
    observed.finished = race.finished;
    const Json& provenance = race.data.at("provenance");
    provenance.at("harness_version").get_to(observed.harness_version);
    provenance.at("compiler").get_to(observed.compiler);
    provenance.at("sweep").get_to(observed.sweep);
    observed.conditions = provenance.at("conditions");
    observed.race_ms = race.wall_ms;
    const auto arms = race.data.at("arms").get<std::vector<std::string>>();
    for (std::size_t arm = 0; arm < arms.size(); ++arm)
      observed.variants.push_back(
          timed(observed, result, static_cast<std::int32_t>(arm), arms[arm]));
    add_fallen(observed, {arms.begin(), arms.end()});
    return observed;
  }

 private:
  static std::string subject_of(const ObservedCase& observed, const std::string& variant) {
    return fmt::format("{}{}{}{}{}", observed.which.geometry.key(), kBar, variant, kBar,
                       observed.target.name);
  }

  /// What is known of the variant before it raced.
  ObservedVariant untimed(const ObservedCase& observed, const std::string& key) const {
    const Family& family = *observed.which.geometry.family;
    ObservedVariant one;
    one.variant = parse_variant_key(family, key);
    one.key = key;
    one.is_baseline = one.variant.implementation == family.baseline;
    const std::string subject = subject_of(observed, key);
    if (const auto step = compiled_.find(subject); step != compiled_.end())
      add_compilation(*step->second, one);
    const auto proof = proved_.find(subject);
    if (proof == proved_.end()) return one;
    one.proof_ms = proof->second->wall_ms;
    if (one.status != Status::ok) return one;
    one.status = proof->second->status;
    one.message = proof->second->message;
    return one;
  }

  static void add_compilation(const StepRecord& step, ObservedVariant& one) {
    one.status = step.status;
    one.message = step.message;
    one.compile_ms = step.wall_ms;
    one.code_identity = step.data.value("code_identity", "");
    // On the host device the facts of instrumented code are not those of what is timed.
    if (step.status == Status::ok && !step.data.value("exact", false))
      one.facts = facts_from_json(step.data.at("facts"));
  }

  ObservedVariant timed(const ObservedCase& observed, const RaceResult& result, std::int32_t arm,
                        const std::string& key) const {
    ObservedVariant one = untimed(observed, key);
    one.status = Status::ok;  // it was proved to race, whatever became of an older text of it
    one.message.clear();
    for (const Disproof& disproof : result.disproved)
      if (disproof.arm == arm) {
        one.status = disproof.outcome.status;
        one.message = disproof.outcome.message;
        return one;
      }
    const bool fell = std::any_of(result.eliminated.begin(), result.eliminated.end(),
                                  [arm](const Elimination& e) { return e.arm == arm; });
    // Those that were left are judged by the epochs of the confirmation alone.
    const std::int32_t from = result.confirmed && !fell ? result.confirmed_from : 0;
    std::vector<ArmTime> times;
    for (const Sample& sample : result.samples)
      if (sample.arm == arm && sample.epoch >= from) {
        times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
        one.samples_us.push_back(sample.us);
      }
    if (!times.empty())
      one.times = summarise_arm(times, arm);
    else if (const auto index = static_cast<std::size_t>(arm);
             index < result.probe_us.size() && result.probe_us[index] > 0)
      one.probe_us = result.probe_us[index];
    return one;
  }

  /// Variants of the geometry that failed to compile or were disproved, by key.
  void add_fallen(ObservedCase& observed, const std::set<std::string>& raced) const {
    const std::string prefix = observed.which.geometry.key() + std::string(kBar);
    const std::string suffix = std::string(kBar) + observed.target.name;
    std::set<std::string> keys;
    for (const StepsBySubject* steps : {&compiled_, &proved_})
      for (auto step = steps->lower_bound(prefix);
           step != steps->end() && step->first.starts_with(prefix); ++step) {
        const std::string& subject = step->first;
        if (subject.ends_with(suffix) && subject.size() > prefix.size() + suffix.size())
          keys.insert(
              subject.substr(prefix.size(), subject.size() - prefix.size() - suffix.size()));
      }
    for (const std::string& key : keys) {
      if (raced.count(key) != 0) continue;
      ObservedVariant one = untimed(observed, key);
      if (one.status == Status::ok)
        ++observed.untimed;
      else
        observed.variants.push_back(std::move(one));
    }
  }

  const RecordSet& set_;
  StepsBySubject compiled_, proved_;
};

/// Where a race names what the selection asks for; the names that it could have asked for are kept.
class Chooser {
 public:
  explicit Chooser(const ExportSelection& selection) : selection_(selection) {
    // The store has the form that keys are printed in.
    if (!selection.case_key.empty()) selection_.case_key = parse_case_key(selection.case_key).key();
  }

  bool takes(const StepRecord& race) {
    const std::size_t bar = race.subject.rfind(kBar);
    const std::string which = race.subject.substr(0, bar);
    const std::string device = race.subject.substr(bar + kBar.size());
    const std::string family = which.substr(0, which.find('('));
    families_.insert(family);
    devices_.insert(device);
    cases_.insert(which);
    return is_asked(selection_.family, family) && is_asked(selection_.device, device) &&
           is_asked(selection_.case_key, which);
  }

  [[noreturn]] void refuse() const {
    if (cases_.empty())
      throw UserError("the store holds no race to export; fusetune tune SWEEP makes them");
    for (const auto& [what, asked, there] :
         {std::tuple("family with a race", selection_.family, families_),
          std::tuple("device with a race", selection_.device, devices_),
          std::tuple("case with a race", selection_.case_key, cases_)})
      if (!asked.empty() && there.count(asked) == 0)
        throw UserError(unknown_name(what, asked, {there.begin(), there.end()}));
    throw UserError("the store holds no race of this case, family and device together");
  }

 private:
  static bool is_asked(const std::string& asked, const std::string& there) {
    return asked.empty() || asked == there;
  }

  ExportSelection selection_;
  std::set<std::string> families_, devices_, cases_;
};

}  // namespace

std::vector<ObservedCase> observed_cases(const RecordSet& set, const ExportSelection& selection,
                                         std::vector<std::string>& left_out) {
  Chooser chooser(selection);
  const CaseReader reader(set);
  std::map<std::tuple<std::string, std::string, std::string>, ObservedCase> cases;
  bool any = false;
  for (const StepRecord& step : set.steps) {
    if (step.kind != StepRecord::Kind::race || !chooser.takes(step)) continue;
    any = true;
    try {
      ObservedCase observed = reader.read(step);
      if (step.status != Status::ok) {
        left_out.push_back(fmt::format("{}: its race ended with {}: {}", step.subject,
                                       to_string(step.status), step.message));
        continue;
      }
      std::tuple key(observed.device, observed.which.key(), observed.data);
      cases.insert_or_assign(std::move(key), std::move(observed));
    } catch (const UserError& error) {
      left_out.push_back(fmt::format("{}: {}", step.subject, error.what()));
    }
  }
  if (!any) chooser.refuse();
  std::vector<ObservedCase> list;
  for (auto& [key, observed] : cases) list.push_back(std::move(observed));
  return list;
}

}  // namespace fusetune
