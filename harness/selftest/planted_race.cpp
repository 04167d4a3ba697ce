#include "harness/selftest/planted_race.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/selftest/planted_device.hpp"
#include "harness/stats/paired.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

namespace {

constexpr std::int32_t kShipped = 0, kPlanted = 1;
/// A slower arm must be seen as slower by this at least: what a race calls a difference.
constexpr double kMargin = 0.005;

/// What a race and the proofs around it made of both arms.
struct Course {
  std::string found_by, message, false_alarm;
  bool retire = false;

  /// The first finding counts.
  void find(std::string_view by, const std::string& why) {
    if (!found_by.empty()) return;
    found_by = by;
    message = why;
  }
};

ProofReport prove_in_race(Device& device, const RunnableVariant& arm, const Case& which,
                          std::uint64_t seed, ProofCache& cache) {
  ProofOptions options;
  options.seed = seed;
  options.determinism_runs = 0;
  options.thorough = false;
  options.cache = &cache;
  return prove(device, arm, which, options);
}

/// Both arms, before or after they are timed.
void prove_arms(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                std::uint64_t seed, std::string_view when, ProofCache& cache, Course& course) {
  for (const std::int32_t arm : {kShipped, kPlanted}) {
    const ProofReport report =
        prove_in_race(device, arms[static_cast<std::size_t>(arm)], which, seed, cache);
    if (report.outcome.ok()) continue;
    const bool launch = report.failed_check == "launch";
    if (arm == kShipped)
      course.false_alarm = fmt::format("{}: {}", when, report.outcome.message);
    else
      course.find(launch ? to_string(report.outcome.status) : when, report.outcome.message);
    course.retire = course.retire || launch;
  }
}

void judge_race(const RaceResult& result, Course& course) {
  for (const Disproof& disproof : result.disproved) {
    if (disproof.arm == kPlanted) course.find(kTimedPath, disproof.outcome.message);
    if (disproof.arm == kShipped) course.false_alarm = disproof.outcome.message;
  }
  if (result.outcome.ok()) return;
  course.retire = true;
  const bool clocks = result.outcome.message.find("clock") != std::string::npos &&
                      result.outcome.status == Status::launch_error;
  const std::string_view by = clocks ? kClocks : to_string(result.outcome.status);
  // Who of two in the queue broke it only a second race would tell.
  if (result.failed_arm == kShipped && !result.unsure)
    course.false_alarm = result.outcome.message;
  else
    course.find(by, result.outcome.message);
}

/// Of the planted arm's time to the other's.
Interval ratio_of(const RaceResult& result) {
  std::vector<ArmTime> times;
  for (const Sample& sample : result.samples)
    if (sample.epoch >= result.confirmed_from)
      times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
  return compare_arms(times, kShipped, kPlanted).ratio;
}

bool are_timed(const RaceResult& result) {
  const auto has = [&result](std::int32_t arm) {
    return std::any_of(result.samples.begin(), result.samples.end(), [&](const Sample& sample) {
      return sample.arm == arm && sample.epoch >= result.confirmed_from;
    });
  };
  return result.outcome.ok() && has(kShipped) && has(kPlanted);
}

}  // namespace

Json to_json(const PlantVerdict& verdict) {
  return {{"name", verdict.name},
          {"found", verdict.found},
          {"found_by", verdict.found_by},
          {"message", verdict.message},
          {"out_of_reach", verdict.out_of_reach},
          {"false_alarm", verdict.false_alarm},
          {"path", verdict.path},
          {"checked", verdict.checked},
          {"ratio", verdict.ratio},
          {"low", verdict.low}};
}

Json handle_planted_race(Device& device, const Json& request, ProofAids& aids) {
  const Plant& plant = find_plant(request.at("plant").get<std::string>());
  const Case which = case_from_json(request.at("case"));
  PlantedDevice planted(device, plant, which.rows());
  std::vector<std::unique_ptr<LoadedCode>> codes;
  std::vector<RunnableVariant> arms;
  for (const std::int32_t arm : {kShipped, kPlanted}) {
    Outcome outcome;
    codes.push_back(planted.load(request.at("code").get<std::string>(), &outcome));
    if (!codes.back())
      return Json{{"false_alarm", outcome.message}, {"arm", arm}, {"retire", true}};
    arms.push_back(
        {codes.back().get(), launches_of(which, variant_from_json(request.at("variant")),
                                         device.properties().target, device.properties().facts)});
  }
  const auto seed = request.at("seed").get<std::uint64_t>();
  Course course;
  if (plant.from_start) planted.plant(*codes[kPlanted]);
  prove_arms(planted, arms, which, seed, kProofBefore, aids.cache, course);
  planted.plant(*codes[kPlanted]);
  RaceResult result;
  // What is wrong before is never timed.
  if (course.found_by.empty() && course.false_alarm.empty()) {
    aids.clear();
    result = race(planted, arms, which, race_options_from_json(request.at("options")), {},
                  aids.exchange ? aids.exchange->digests() : DigestRegions());
    judge_race(result, course);
    if (!course.retire && course.found_by.empty())
      prove_arms(planted, arms, which, seed + 1, kProofAfter, aids.cache, course);
  }
  Json answer{
      {"path", result.path}, {"checked", result.checked_lists},   {"ratio", 0.0},
      {"low", 0.0},          {"false_alarm", course.false_alarm}, {"retire", course.retire}};
  if (are_timed(result)) {
    const Interval ratio = ratio_of(result);
    answer["ratio"] = ratio.mid;
    answer["low"] = ratio.low;
    if (ratio.low > 1 + kMargin)
      course.find(kSlower, fmt::format("{:.2f} times as slow as the shipped kernel, {:.2f} at "
                                       "least",
                                       ratio.mid, ratio.low));
  }
  answer["found_by"] = course.found_by;
  answer["message"] = course.message;
  return answer;
}

PlantVerdict plant_verdict(const Plant& plant, const JobEnd& end) {
  PlantVerdict verdict;
  verdict.name = plant.name;
  verdict.about = plant.about;
  if (end.how != JobEnd::How::answered) {
    const bool late = end.how == JobEnd::How::timed_out;
    verdict.found_by = to_string(late ? Status::kernel_timeout : Status::worker_lost);
    verdict.message = end.last_output;
  } else if (end.answer.contains("error")) {
    const bool lost = end.answer.value("retire", false);
    if (lost) verdict.found_by = to_string(Status::kernel_fault);
    verdict.message = end.answer["error"].get<std::string>();
  } else {
    verdict.found_by = end.answer.value("found_by", "");
    verdict.message = end.answer.value("message", "");
    verdict.false_alarm = end.answer.value("false_alarm", "");
    verdict.path = end.answer.value("path", "");
    verdict.checked = end.answer.value("checked", std::int64_t{0});
    verdict.ratio = end.answer.value("ratio", 0.0);
    verdict.low = end.answer.value("low", 0.0);
  }
  verdict.found = plant.found_by.count(verdict.found_by) != 0;
  if (!verdict.found && plant.graphs && !verdict.path.empty() && verdict.path != "graph")
    verdict.out_of_reach =
        fmt::format("launches went into the {} here, not into graphs", verdict.path);
  return verdict;
}

}  // namespace fusetune
