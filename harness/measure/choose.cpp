#include "harness/measure/choose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>

namespace fusetune {

namespace {

/// Times the margin, that a simpler arm may be slower at most.
constexpr double kSimplerCosts = 2;

/// What a race timed, from an epoch on. By arms: hundreds are compared, two at a time.
class TimesOfArms {
 public:
  TimesOfArms(const RaceResult& result, std::int32_t epoch) {
    for (const Sample& sample : result.samples)
      if (sample.epoch >= epoch)
        by_arm_[sample.arm].push_back({sample.arm, sample.epoch, sample.round, sample.us});
  }

  std::set<std::int32_t> arms() const {
    std::set<std::int32_t> arms;
    for (const auto& [arm, times] : by_arm_) arms.insert(arm);
    return arms;
  }
  ArmSummary summary(std::int32_t arm) const { return summarise_arm(of(arm), arm); }
  Comparison compare(std::int32_t a, std::int32_t b) const {
    std::vector<ArmTime> both = of(a);
    if (b != a) both.insert(both.end(), of(b).begin(), of(b).end());
    return compare_arms(both, a, b);
  }

 private:
  const std::vector<ArmTime>& of(std::int32_t arm) const {
    static const std::vector<ArmTime> none;
    const auto found = by_arm_.find(arm);
    return found == by_arm_.end() ? none : found->second;
  }

  std::map<std::int32_t, std::vector<ArmTime>> by_arm_;
};

/// Paired against one arm of the race, so that a drift that all arms saw does not choose.
std::int32_t fastest_of(const TimesOfArms& times, const std::set<std::int32_t>& arms) {
  const std::int32_t reference = *arms.begin();
  std::int32_t best = reference;
  double best_log = 0;
  for (const std::int32_t arm : arms) {
    const double log_ratio = times.compare(reference, arm).log_ratio.mid;
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
    throw std::invalid_argument("the baseline was not timed: no row without it");
}

bool is_eligible(const ChoiceRules& rules, std::int32_t arm) {
  return rules.eligible.empty() || rules.eligible.at(static_cast<std::size_t>(arm));
}

/// Whether a row may name the baseline for want of anything better.
bool has_default(const ChoiceRules& rules) {
  return rules.baseline >= 0 && is_eligible(rules, rules.baseline);
}

/// The tied arms that beat the baseline beyond noise, or all where it is no choice.
std::vector<std::int32_t> eligible_arms(const Choice& choice, const ChoiceRules& rules) {
  std::vector<std::int32_t> arms;
  for (const ArmVerdict& verdict : choice.verdicts)
    if (verdict.tied && (!has_default(rules) || verdict.over_baseline.low > 1))
      arms.push_back(verdict.arm);
  return arms;
}

/// Keeps the arms that ask least of the memories. True when that left any out.
bool keep_least_memory(const ChoiceRules& rules, std::vector<std::int32_t>& arms) {
  const auto cost = [&rules](std::int32_t arm) -> std::optional<MemoryCost> {
    const auto at = static_cast<std::size_t>(arm);
    return at < rules.memory.size() ? rules.memory[at] : std::nullopt;
  };
  if (arms.empty() || std::any_of(arms.begin(), arms.end(),
                                  [&cost](std::int32_t arm) { return !cost(arm).has_value(); }))
    return false;
  const MemoryCost least = *cost(*std::min_element(
      arms.begin(), arms.end(), [&](std::int32_t a, std::int32_t b) { return cost(a) < cost(b); }));
  return std::erase_if(arms, [&](std::int32_t arm) { return *cost(arm) != least; }) > 0;
}

/// Fills in the arm that the table names, -1 when no tied one beats the baseline beyond noise.
/// Returns whether the memories decided.
bool pick(Choice& choice, const ChoiceRules& rules, bool confirmed) {
  std::vector<std::int32_t> arms = eligible_arms(choice, rules);
  if (std::find(arms.begin(), arms.end(), rules.incumbent) != arms.end()) {
    choice.arm = rules.incumbent;
    return false;
  }
  // Where arms were raced to be told apart, no wide interval makes up for a worse figure, and
  // simplicity may cost no more than is known.
  if (confirmed)
    std::erase_if(arms, [&](std::int32_t arm) {
      const Interval& over = choice.verdict(arm).over_fastest;
      return arm != choice.fastest &&
             (over.mid > 1 + rules.margin || over.high > 1 + kSimplerCosts * rules.margin);
    });
  const bool by_memory = keep_least_memory(rules, arms);
  for (const std::int32_t arm : arms)
    if (choice.arm < 0 || simpler(rules, arm, choice.arm)) choice.arm = arm;
  return by_memory;
}

double share_slower(const Interval& over_fastest, double of) {
  return std::isnan(over_fastest.mid) ? std::numeric_limits<double>::infinity()
                                      : std::max(0.0, of - 1);
}

/// That the mean of as many new epochs lies below `limit`: both means are uncertain.
double chance_below(const std::vector<double>& log_ratios, double limit) {
  const auto n = static_cast<double>(log_ratios.size());
  const double mean = std::accumulate(log_ratios.begin(), log_ratios.end(), 0.0) / n;
  double squares = 0;
  for (const double value : log_ratios) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(2 * squares / (n - 1) / n);
  if (error == 0) return mean < limit ? 1 : 0;
  return student_t_cdf((limit - mean) / error, log_ratios.size() - 1);
}

double flip_probability(const Choice& choice, const std::set<std::int32_t>& candidates,
                        const TimesOfArms& times, double margin) {
  double stays = 1;
  for (const std::int32_t arm : candidates) {
    if (arm == choice.arm) continue;
    const std::vector<double> log_ratios = times.compare(choice.arm, arm).epoch_log_ratios;
    if (log_ratios.size() < 2) return std::numeric_limits<double>::quiet_NaN();
    stays *= 1 - chance_below(log_ratios, -margin);
  }
  return 1 - stays;
}

std::string reason_of(const Choice& choice, const ChoiceRules& rules, bool by_memory) {
  if (choice.instead_of >= 0)
    return fmt::format("it serves other row counts too, and is at most {:.1f} % slower here",
                       100 * choice.regret);
  if (choice.is_default) return "nothing beats the baseline beyond noise";
  if (choice.arm == rules.incumbent && choice.arm != choice.fastest)
    return "the incumbent is within noise of the fastest";
  if (by_memory && choice.arm != choice.fastest)
    return "of those within noise of the fastest, the one that asks least of memory";
  if (by_memory) return "the fastest, and of its ties the one that asks least of memory";
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

std::map<std::int32_t, double> sharable_arms(const Choice& choice, const ChoiceRules& rules) {
  std::map<std::int32_t, double> arms;
  if (choice.is_default) return arms;
  for (const ArmVerdict& verdict : choice.verdicts) {
    const Interval& over = verdict.over_fastest;
    if (verdict.arm == rules.baseline || verdict.dropped || !is_eligible(rules, verdict.arm))
      continue;
    if (has_default(rules) && !(verdict.over_baseline.low > 1)) continue;
    if (verdict.arm == choice.arm || verdict.arm == choice.fastest ||
        over.high <= 1 + kSharingCosts)
      arms[verdict.arm] = share_slower(over, over.mid);
  }
  return arms;
}

Choice choose(const RaceResult& result, const ChoiceRules& rules) {
  // What was dropped before the confirmation is told by the epochs that it ran.
  const TimesOfArms times(result, result.confirmed_from);
  const TimesOfArms all_times(result, 0);
  const std::set<std::int32_t> timed = times.arms();
  check(result, rules, all_times.arms());
  std::set<std::int32_t> candidates = timed;
  candidates.erase(rules.baseline);
  // What was surely slower is in no tie, however few its epochs.
  for (const Elimination& one : result.eliminated) candidates.erase(one.arm);
  std::erase_if(candidates, [&rules](std::int32_t arm) { return !is_eligible(rules, arm); });
  if (timed.empty()) throw std::invalid_argument("nothing was timed");
  // Without a candidate the baseline stands alone.
  if (candidates.empty() && has_default(rules)) candidates.insert(rules.baseline);
  if (candidates.empty()) throw std::invalid_argument("no arm that may be chosen was timed");

  // What the baseline takes is no choice among many: where it was timed in less than two epochs of
  // those that count, the others tell of it as well.
  const bool rare_baseline = rules.baseline >= 0 && (timed.count(rules.baseline) == 0 ||
                                                     times.summary(rules.baseline).epochs < 2);
  Choice choice;
  choice.fastest = fastest_of(times, candidates);
  const double margin = std::log1p(rules.margin);
  for (const std::int32_t arm : all_times.arms()) {
    const bool of_all = timed.count(arm) == 0 || (rare_baseline && arm == rules.baseline);
    const TimesOfArms& its_times = of_all ? all_times : times;
    ArmVerdict verdict;
    verdict.arm = arm;
    verdict.dropped = timed.count(arm) == 0;
    verdict.summary = its_times.summary(arm);
    const Comparison to_fastest = its_times.compare(choice.fastest, arm);
    verdict.over_fastest = to_fastest.ratio;
    verdict.tied =
        arm != rules.baseline && candidates.count(arm) != 0 && to_fastest.log_ratio.low < margin;
    if (rules.baseline >= 0)
      verdict.over_baseline =
          (rare_baseline ? all_times : its_times).compare(arm, rules.baseline).ratio;
    choice.verdicts.push_back(verdict);
  }
  const bool by_memory = pick(choice, rules, result.confirmed);
  if (rules.shared >= 0 && rules.shared != choice.arm) {
    choice.instead_of = choice.arm;
    choice.arm = rules.shared;
  }
  choice.is_default = choice.arm < 0;
  if (choice.is_default) choice.arm = rules.baseline;
  const Interval& over_fastest = choice.verdict(choice.arm).over_fastest;
  choice.regret = choice.arm == choice.fastest ? 0 : share_slower(over_fastest, over_fastest.high);
  choice.flip_probability = flip_probability(choice, candidates, times, margin);
  for (const ArmVerdict& verdict : choice.verdicts) {
    if (verdict.tied && verdict.arm != choice.arm) choice.tie_set.push_back(verdict.arm);
  }
  choice.reason = reason_of(choice, rules, by_memory);
  return choice;
}

}  // namespace fusetune
