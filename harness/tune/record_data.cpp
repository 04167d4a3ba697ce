#include "harness/tune/record_data.hpp"

#include <cmath>
#include <stdexcept>

#include "harness/measure/race.hpp"
#include "harness/tune/proved_variant.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune {

namespace {

// Sums and hundredfolds of such counts stay whole numbers of 64 bits.
constexpr std::int64_t kCountMax = std::int64_t{1} << 40;

void require_data(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(what);
}

/// Whether each of `arms` is one of `count`.
bool are_arms(const std::vector<std::int32_t>& arms, std::size_t count) {
  for (const std::int32_t arm : arms)
    if (arm < 0 || static_cast<std::size_t>(arm) >= count) return false;
  return true;
}

void check_result(const RaceResult& result, std::size_t arms) {
  std::vector<std::int32_t> named;
  for (const Sample& sample : result.samples) {
    require_data(sample.us > 0 && std::isfinite(sample.us), "a sample is no time");
    named.push_back(sample.arm);
  }
  for (const Disproof& disproof : result.disproved) named.push_back(disproof.arm);
  if (result.failed_arm != -1) named.push_back(result.failed_arm);
  require_data(are_arms(named, arms) && are_arms(result.dropped, result.probe_us.size()) &&
                   (result.probe_us.empty() || result.probe_us.size() == arms),
               "its result is of other arms");
  require_data(!result.outcome.ok() || result.data == "cold" || result.data == "hot",
               "its data are neither cold nor hot");
}

void check_race(const StepRecord& step) {
  const Json& data = step.data;
  require_data(step.subject.find(" | ") != std::string::npos, "its subject names no device");
  const std::size_t arms = data.at("arms").get<std::vector<std::string>>().size();
  const RaceResult result = race_from_json(data.at("result"));
  require_data(result.outcome.status == step.status, "its result has another status");
  check_result(result, arms);
  (void)data.at("budget_s").get<double>();
  for (const char* name : {"harness_version", "compiler", "sweep"})
    (void)data.at("provenance").at(name).get<std::string>();
  (void)data.at("provenance").at("conditions");
  if (data.contains("memory"))
    for (const Json& cost : data.at("memory"))
      if (!cost.is_null())
        for (const char* name : {"segments_32", "bank_passes"})
          (void)cost.at(name).get<std::int64_t>();
  if (!data.contains("classes")) return;
  const std::size_t classes = data.at("classes").get<std::vector<std::string>>().size();
  require_data(classes == 0 || classes == arms, "its classes are of other arms");
}

void check_traffic(const Json& data) {
  const auto are_counts = [](const Json& object) {
    for (const Json& value : object)
      if (value.is_number() && (value < 0 || value > kCountMax)) return false;
    return true;
  };
  const Json traffic = to_json(traffic_from_json(data.at("traffic")));
  require_data(are_counts(traffic), "its counts are out of range");
  for (const Json& site : traffic.at("sites"))
    require_data(are_counts(site), "its counts are out of range");
}

}  // namespace

void check_record_data(const StepRecord& step) {
  switch (step.kind) {
    case StepRecord::Kind::compile:
      (void)facts_from_json(step.data.at("facts"));
      break;
    case StepRecord::Kind::proof:
      (void)proved_from_record(step);
      break;
    case StepRecord::Kind::race:
    case StepRecord::Kind::search:
      check_race(step);
      break;
    case StepRecord::Kind::traffic:
      check_traffic(step.data);
      break;
  }
}

}  // namespace fusetune
