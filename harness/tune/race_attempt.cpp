#include "harness/tune/race_attempt.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fusetune {

RaceAttempt::RaceAttempt(std::size_t arms) : all_(arms), arms_(arms) {
  std::iota(arms_.begin(), arms_.end(), 0);
}

RaceOptions RaceAttempt::among(const RaceOptions& options) const {
  RaceOptions among = options;
  among.one_by_one = one_by_one_;
  among.keep.clear();
  among.groups.clear();
  if (!options.groups.empty())
    for (const std::int32_t arm : arms_)
      among.groups.push_back(options.groups[static_cast<std::size_t>(arm)]);
  for (const std::int32_t arm : options.keep)
    if (const auto at = std::find(arms_.begin(), arms_.end(), arm); at != arms_.end())
      among.keep.push_back(static_cast<std::int32_t>(at - arms_.begin()));
  return among;
}

void RaceAttempt::leave_out(std::int32_t arm, Outcome why) {
  const auto at = arms_.begin() + arm;
  failed_.push_back({*at, std::move(why)});
  arms_.erase(at);
}

RaceResult RaceAttempt::told_of_all(RaceResult result) const {
  const auto number = [this](std::int32_t arm) { return arms_[static_cast<std::size_t>(arm)]; };
  for (Sample& sample : result.samples) sample.arm = number(sample.arm);
  for (std::int32_t& arm : result.dropped) arm = number(arm);
  for (Elimination& one : result.eliminated) one.arm = number(one.arm);
  for (Disproof& disproof : result.disproved) disproof.arm = number(disproof.arm);
  result.disproved.insert(result.disproved.begin(), failed_.begin(), failed_.end());
  std::vector<double> probe_us(all_, 0);
  for (std::size_t i = 0; i < result.probe_us.size(); ++i)
    probe_us[static_cast<std::size_t>(arms_[i])] = result.probe_us[i];
  result.probe_us = std::move(probe_us);
  return result;
}

}  // namespace fusetune
