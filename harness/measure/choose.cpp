#include "harness/measure/choose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace fusetune {

namespace {

std::vector<ArmTime> times_of(const RaceResult& result) {
  std::vector<ArmTime> times;
  times.reserve(result.samples.size());
  for (const Sample& sample : result.samples)
    times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
  return times;
}

/// Paired against one arm of the race, so that a drift that all arms saw does not choose.
std::int32_t fastest_of(const std::vector<ArmTime>& times, const std::set<std::int32_t>& arms) {
  const std::int32_t reference = *arms.begin();
  std::int32_t best = reference;
  double best_log = 0;
  for (const std::int32_t arm : arms) {
    const double log_ratio = compare_arms(times, reference, arm).log_ratio.mid;
    if (log_ratio < best_log) {
      best = arm;
      best_log = log_ratio;
    }
  }
  return best;
}

bool simpler(const ChoiceRules& rules, std::int32_t a, std::int32_t b) {
  const auto& rank_a = rules.simplicity.at(static_cast<std::size_t>(a));
  const auto& rank_b = rules.simplicity.at(static_cast<std::size_t>(b));
  return rank_a != rank_b ? rank_a < rank_b : a < b;
}

void check(const RaceResult& result, const ChoiceRules& rules,
           const std::set<std::int32_t>& timed) {
  if (!result.outcome.ok())
    throw std::invalid_argument("nothing is chosen from a race that failed: " +
                                result.outcome.message);
  if (rules.baseline >= 0 && timed.count(rules.baseline) == 0)
    throw std::invalid_argument("the baseline was not timed; name it in RaceOptions::keep");
}

/// The tied arm that the table names, -1 when none of them beats the baseline beyond noise.
std::int32_t pick(const Choice& choice, const ChoiceRules& rules) {
  std::int32_t best = -1;
  for (const ArmVerdict& verdict : choice.verdicts) {
    if (!verdict.tied) continue;
    if (rules.baseline >= 0 && !(verdict.over_baseline.low > 1)) continue;
    if (verdict.arm == rules.incumbent) return verdict.arm;
    if (best < 0 || simpler(rules, verdict.arm, best)) best = verdict.arm;
  }
  return best;
}

std::string reason_of(const Choice& choice, const ChoiceRules& rules) {
  if (choice.is_default) return "nothing beats the baseline beyond noise";
  if (choice.arm == rules.incumbent && choice.arm != choice.fastest)
    return "the incumbent is within noise of the fastest";
  if (choice.arm != choice.fastest) return "the simplest of those within noise of the fastest";
  return choice.tie_set.empty() ? "the fastest" : "the fastest, and the simplest of its ties";
}

}  // namespace

const ArmVerdict& Choice::verdict(std::int32_t of_arm) const {
  for (const ArmVerdict& verdict : verdicts) {
    if (verdict.arm == of_arm) return verdict;
  }
  throw std::out_of_range(fmt::format("arm {} was not timed", of_arm));
}

Choice choose(const RaceResult& result, const ChoiceRules& rules) {
  const std::vector<ArmTime> times = times_of(result);
  std::set<std::int32_t> timed;
  for (const ArmTime& time : times) timed.insert(time.arm);
  check(result, rules, timed);
  std::set<std::int32_t> candidates = timed;
  candidates.erase(rules.baseline);
  if (timed.empty()) throw std::invalid_argument("nothing was timed");
  // Without a candidate the baseline stands alone.
  if (candidates.empty()) candidates.insert(rules.baseline);

  Choice choice;
  choice.fastest = fastest_of(times, candidates);
  const double margin = std::log1p(rules.margin);
  for (const std::int32_t arm : timed) {
    ArmVerdict verdict;
    verdict.arm = arm;
    verdict.summary = summarise_arm(times, arm);
    const Comparison to_fastest = compare_arms(times, choice.fastest, arm);
    verdict.over_fastest = to_fastest.ratio;
    verdict.tied =
        arm != rules.baseline && candidates.count(arm) != 0 && to_fastest.log_ratio.low < margin;
    if (rules.baseline >= 0) verdict.over_baseline = compare_arms(times, arm, rules.baseline).ratio;
    choice.verdicts.push_back(verdict);
  }
  choice.arm = pick(choice, rules);
  choice.is_default = choice.arm < 0;
  if (choice.is_default) choice.arm = rules.baseline;
  for (const ArmVerdict& verdict : choice.verdicts) {
    if (verdict.tied && verdict.arm != choice.arm) choice.tie_set.push_back(verdict.arm);
  }
  choice.reason = reason_of(choice, rules);
  return choice;
}

}  // namespace fusetune
