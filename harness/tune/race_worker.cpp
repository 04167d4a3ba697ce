#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "harness/tune/race_notes.hpp"
#include "harness/tune/race_stage.hpp"

namespace fusetune {

namespace {

/// Ends the race: its worker may be of no use any more, and others must not be timed in it.
RaceResult failed_at(std::size_t arm, const std::string& when, const Outcome& outcome) {
  RaceResult failed;
  failed.outcome = {outcome.status, when + ": " + outcome.message};
  failed.failed_arm = static_cast<std::int32_t>(arm);
  return failed;
}

/// Verify again after timing, with another seed on the loaded code that was timed: what is wrong
/// now loses its samples.
RaceResult prove_again(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                       std::uint64_t seed, RaceNotes& notes, ProofAids& aids, RaceResult result) {
  ProofOptions options;
  options.seed = seed + 1;
  options.determinism_runs = 0;
  options.thorough = false;
  options.cache = &aids.cache;
  options.exchange = aids.exchange.get();
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto arm = static_cast<std::int32_t>(a);
    const bool timed = std::any_of(result.samples.begin(), result.samples.end(),
                                   [arm](const Sample& sample) { return sample.arm == arm; });
    if (!timed) continue;
    notes.proving(arm, false);
    RunnableVariant variant = arms[a];
    variant.around_launches = [&notes, arm](bool begins) { notes.proving(arm, begins); };
    const ProofReport report = prove(device, variant, which, options);
    if (report.outcome.ok()) continue;
    if (report.failed_check == "launch") return failed_at(a, kAfterTiming, report.outcome);
    result.disproved.push_back(
        {arm,
         {report.outcome.status, fmt::format("{}: {}", kAfterTiming, report.outcome.message)}});
    std::erase_if(result.samples, [arm](const Sample& sample) { return sample.arm == arm; });
  }
  return result;
}

RaceResult race_on(Device& device, const Json& request, RaceNotes& notes, ProofAids& aids) {
  const Case which = case_from_json(request.at("case"));
  device.begin_session(request.value("session", std::uint64_t{0}));
  const DeviceProperties& properties = device.properties();
  std::vector<std::unique_ptr<LoadedCode>> codes;
  std::vector<RunnableVariant> arms;
  for (const Json& item : request.at("arms")) {
    notes.timing(static_cast<std::int32_t>(arms.size()), 0);
    Outcome outcome;
    codes.push_back(device.load(item.at("code").get<std::string>(), &outcome));
    if (!codes.back()) return failed_at(arms.size(), kWhileTimed, outcome);
    // Of another version of its family, an arm launches what that says.
    const Case own = item.contains("case") ? case_from_json(item.at("case")) : which;
    arms.push_back({codes.back().get(), launches_of(own, variant_from_json(item.at("variant")),
                                                    properties.target, properties.facts)});
  }
  notes.preparing();
  const RaceOptions options = race_options_from_json(request.at("options"));
  const auto ahead = [&notes](const NextSpan& next) {
    notes.count(next.probed, next.left);
    if (next.arm < 0)
      notes.preparing();
    else
      notes.timing(next.arm, next.expected_us);
  };
  RaceResult result = race(device, arms, which, options, ahead,
                           aids.exchange ? aids.exchange->digests() : DigestRegions());
  if (!result.outcome.ok() && result.failed_arm >= 0) {
    RaceResult failed =
        failed_at(static_cast<std::size_t>(result.failed_arm), kWhileTimed, result.outcome);
    failed.unsure = result.unsure;
    return failed;
  }
  if (result.outcome.ok() && request.at("prove_again").get<bool>())
    return prove_again(device, arms, which, options.seed, notes, aids, std::move(result));
  return result;
}

}  // namespace

Json handle_race_request(Device& device, const Json& request, NotePage& page, ProofAids& aids) {
  RaceNotes notes(page);
  aids.clear();  // the memory is the race's
  const RaceResult result = race_on(device, request, notes, aids);
  Json answer = fusetune::to_json(result);
  answer["retire"] = !result.outcome.ok();
  return answer;
}

}  // namespace fusetune
