#include <algorithm>
#include <memory>
#include <numeric>

#include "harness/tune/race_stage.hpp"

namespace fusetune {

namespace {

/// Verify again after timing, with another seed on the loaded code that was timed: what fails now
/// loses its samples.
void prove_again(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                 std::uint64_t seed, RaceResult& result) {
  ProofOptions options;
  options.seed = seed + 1;
  options.determinism_runs = 0;
  options.thorough = false;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto arm = static_cast<std::int32_t>(a);
    const bool timed = std::any_of(result.samples.begin(), result.samples.end(),
                                   [arm](const Sample& sample) { return sample.arm == arm; });
    if (!timed) continue;
    const ProofReport report = prove(device, arms[a], which, options);
    if (report.outcome.ok()) continue;
    result.disproved.push_back(
        {arm, {report.outcome.status, "after timing: " + report.outcome.message}});
    std::erase_if(result.samples, [arm](const Sample& sample) { return sample.arm == arm; });
  }
}

/// Arm numbers of a race among some arms, told in the numbers of all.
void renumber(const std::vector<std::int32_t>& numbers, std::size_t all, RaceResult& result) {
  const auto number = [&numbers](std::int32_t arm) {
    return numbers[static_cast<std::size_t>(arm)];
  };
  for (Sample& sample : result.samples) sample.arm = number(sample.arm);
  for (std::int32_t& arm : result.dropped) arm = number(arm);
  std::vector<double> probe_us(all, 0);
  for (std::size_t i = 0; i < result.probe_us.size(); ++i)
    probe_us[static_cast<std::size_t>(numbers[i])] = result.probe_us[i];
  result.probe_us = std::move(probe_us);
}

/// Races the arms; one that fails while it is timed is left out, and the others start again.
RaceResult race_survivors(Device& device, const std::vector<RunnableVariant>& arms,
                          const Case& which, const RaceOptions& options) {
  std::vector<std::int32_t> numbers(arms.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<Disproof> failed;
  for (;;) {
    std::vector<RunnableVariant> alive;
    for (const std::int32_t number : numbers)
      alive.push_back(arms[static_cast<std::size_t>(number)]);
    RaceOptions among = options;
    among.keep.clear();
    among.groups.clear();
    if (!options.groups.empty())
      for (const std::int32_t number : numbers)
        among.groups.push_back(options.groups[static_cast<std::size_t>(number)]);
    for (const std::int32_t arm : options.keep)
      if (const auto at = std::find(numbers.begin(), numbers.end(), arm); at != numbers.end())
        among.keep.push_back(static_cast<std::int32_t>(at - numbers.begin()));
    RaceResult result = race(device, alive, which, among);
    if (!result.outcome.ok() && result.failed_arm >= 0 && numbers.size() > 1) {
      const auto at = numbers.begin() + result.failed_arm;
      failed.push_back(
          {*at, {result.outcome.status, "while it was timed: " + result.outcome.message}});
      numbers.erase(at);
      continue;
    }
    if (result.outcome.ok()) renumber(numbers, arms.size(), result);
    result.disproved = std::move(failed);
    return result;
  }
}

}  // namespace

Json handle_race_request(Device& device, const Json& request) {
  const Case which = case_from_json(request.at("case"));
  std::vector<std::unique_ptr<LoadedCode>> codes;
  std::vector<RunnableVariant> arms;
  for (const Json& item : request.at("arms")) {
    Outcome outcome;
    codes.push_back(device.load(item.at("code").get<std::string>(), &outcome));
    if (!codes.back()) {
      RaceResult failed;
      failed.outcome = outcome;
      return fusetune::to_json(failed);
    }
    arms.push_back(
        {codes.back().get(), launches_of(which, variant_from_json(item.at("variant")),
                                         device.properties().target, device.properties().facts)});
  }
  const RaceOptions options = race_options_from_json(request.at("options"));
  RaceResult result = race_survivors(device, arms, which, options);
  if (result.outcome.ok() && request.at("prove_again").get<bool>())
    prove_again(device, arms, which, options.seed, result);
  return fusetune::to_json(result);
}

}  // namespace fusetune
