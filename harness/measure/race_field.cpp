#include "harness/measure/race_field.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fusetune {

void RaceField::enter_probed(const std::vector<double>& probe_us,
                             const std::map<std::int32_t, double>& best_us) {
  for (std::int32_t arm = 0; arm < std::ssize(probe_us); ++arm) {
    const double us = probe_us[static_cast<std::size_t>(arm)];
    const bool drop = us > options_.probe_cutoff * best_us.at(group_of(arm)) && !is_kept(arm);
    (drop ? result_.dropped : alive_).push_back(arm);
  }
}

bool RaceField::is_kept(std::int32_t arm) const {
  return std::find(options_.keep.begin(), options_.keep.end(), arm) != options_.keep.end();
}

std::int32_t RaceField::group_of(std::int32_t arm) const {
  return options_.groups.empty() ? 0 : options_.groups.at(static_cast<std::size_t>(arm));
}

std::size_t RaceField::candidates() const {
  return static_cast<std::size_t>(std::count_if(
      alive_.begin(), alive_.end(), [this](std::int32_t arm) { return !is_kept(arm); }));
}

std::vector<Standings> RaceField::standings_from(std::int32_t epoch, double confidence,
                                                 Spread spread) const {
  std::map<std::int32_t, std::vector<std::int32_t>> groups;
  for (const std::int32_t arm : alive_) groups[group_of(arm)].push_back(arm);
  std::vector<ArmTime> times;
  for (const Sample& sample : result_.samples)
    if (sample.epoch >= epoch) times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
  std::vector<Standings> all;
  for (const auto& [group, arms] : groups)
    all.push_back(rank_arms(times, arms, confidence, spread));
  return all;
}

std::set<std::int32_t> RaceField::far_kept() const {
  std::set<std::int32_t> far;
  if (epochs_ == 0) return far;
  for (const Standings& group : standings_from(0, 0.95, Spread::own))
    for (const Standing& standing : group.arms)
      if (is_kept(standing.arm) && standing.log_ratio.mid > std::log1p(options_.far))
        far.insert(standing.arm);
  return far;
}

bool RaceField::is_bounded(std::int32_t from, double confidence) const {
  for (const Standings& group : standings_from(from, confidence, Spread::pooled))
    for (const Standing& standing : group.arms)
      if (standing.arm != group.leader &&
          standing.log_ratio.low < (is_kept(standing.arm) ? 0 : -std::log1p(options_.regret_max)))
        return false;
  return true;
}

bool RaceField::kept_have_two_epochs() const {
  std::map<std::int32_t, std::set<std::int32_t>> epochs;
  for (const Sample& sample : result_.samples)
    if (sample.epoch >= result_.confirmed_from) epochs[sample.arm].insert(sample.epoch);
  return std::all_of(alive_.begin(), alive_.end(),
                     [&](std::int32_t arm) { return !is_kept(arm) || epochs[arm].size() >= 2; });
}

void RaceField::drop_far(double cut) {
  std::map<std::int32_t, double> best_us, best_of_group_us;
  for (const Sample& sample : result_.samples)
    for (const auto& [key, times] :
         {std::pair(sample.arm, &best_us), std::pair(group_of(sample.arm), &best_of_group_us)}) {
      double& best = times->try_emplace(key, sample.us).first->second;
      best = std::min(best, sample.us);
    }
  std::set<std::int32_t> out;
  for (const auto& [arm, us] : best_us)
    if (us > (1 + cut) * best_of_group_us.at(group_of(arm)) && !is_kept(arm)) out.insert(arm);
  eliminate(out);
}

void RaceField::drop_slower(std::int32_t from, int done, double confidence, double far) {
  std::set<std::int32_t> out;
  for (const Standings& group : standings_from(from, confidence, Spread::pooled))
    for (const Standing& standing : group.arms) {
      const bool slower = done == 1 ? standing.log_ratio.mid > std::log1p(far)
                                    : standing.log_ratio.low > std::log1p(options_.margin);
      if (slower && !is_kept(standing.arm)) out.insert(standing.arm);
    }
  eliminate(out);
}

void RaceField::keep_best(std::size_t count) {
  std::set<std::int32_t> out;
  for (Standings& group : standings_from(0, 0.95, Spread::own)) {
    std::sort(group.arms.begin(), group.arms.end(), [](const Standing& a, const Standing& b) {
      return a.log_ratio.mid < b.log_ratio.mid;
    });
    std::size_t kept = 0;
    for (const Standing& standing : group.arms)
      if (!is_kept(standing.arm) && ++kept > count) out.insert(standing.arm);
  }
  eliminate(out);
}

void RaceField::disprove(std::int32_t arm, const Outcome& outcome) {
  result_.disproved.push_back({arm, outcome});
  std::erase(alive_, arm);
  std::erase_if(result_.samples, [arm](const Sample& sample) { return sample.arm == arm; });
}

void RaceField::eliminate(const std::set<std::int32_t>& arms) {
  for (const std::int32_t arm : alive_)
    if (arms.count(arm) != 0) result_.eliminated.push_back({arm, epochs_});
  std::erase_if(alive_, [&arms](std::int32_t arm) { return arms.count(arm) != 0; });
}

}  // namespace fusetune
