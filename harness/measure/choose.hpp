#pragma once
// From samples to the arm that a table row names.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/stats/paired.hpp"

namespace fusetune {

/// What the race says of one arm. Ratios above 1: the arm is that much faster than the baseline,
/// slower than the fastest.
struct ArmVerdict {
  std::int32_t arm = -1;
  ArmSummary summary;
  Interval over_fastest{};   ///< time over the fastest arm's
  Interval over_baseline{};  ///< baseline time over this arm's; 1 of the baseline itself
  bool tied = false;         ///< cannot be told from the fastest
  bool dropped = false;      ///< before the epochs that the others are judged by
};

struct Choice {
  std::int32_t arm = -1;    ///< the baseline when `is_default`
  bool is_default = false;  ///< nothing tied with the fastest beats the baseline beyond noise
  /// What it would have been without ChoiceRules::shared, where it is another; or none.
  std::int32_t instead_of = -1;
  std::int32_t fastest = -1;          ///< among the candidates; the baseline is none
  std::vector<std::int32_t> tie_set;  ///< arms that cannot be told from the fastest, `arm` left out
  std::vector<ArmVerdict> verdicts;   ///< of every arm that was timed, by arm
  std::string reason;                 ///< "the incumbent is within noise of the fastest"
  /// How much slower than the fastest `arm` may be, as a share: the upper end of the 95 % interval.
  /// Infinite where a single epoch tells.
  double regret = 0;
  /// That in a second race like this one another candidate is faster than `arm` by more than the
  /// margin, by Student's t over the epochs, taking arms as independent of each other. What was
  /// chosen for being ahead in this very race looks more lasting than it is. NaN where there are
  /// less than two epochs.
  double flip_probability = 0;

  const ArmVerdict& verdict(std::int32_t of_arm) const;  ///< throws std::out_of_range
};

/// What an arm's wave instructions ask of the memories, where that was traced: less is better.
struct MemoryCost {
  std::int64_t segments_32 = 0;
  std::int64_t bank_passes = 0;
  auto operator<=>(const MemoryCost&) const = default;
};

struct ChoiceRules {
  std::vector<std::vector<std::size_t>> simplicity;  ///< per arm; smaller is simpler
  /// Per arm, before simplicity; does not count unless it is known of every arm to choose from.
  std::vector<std::optional<MemoryCost>> memory;
  std::int32_t incumbent = -1;  ///< the present row's arm, or none
  std::int32_t baseline = -1;   ///< or none: then nothing is `default`
  std::vector<bool> eligible;   ///< per arm, whether it may be chosen; empty: all may
  double margin = 0.005;        ///< a difference below this is no reason to change a table
  std::int32_t shared = -1;     ///< one of sharable_arms() that is to be chosen, or none
};

/// Throws std::invalid_argument when the race failed, nothing was timed, or the baseline was not
/// (RaceOptions::keep makes sure of it). With no candidate but the baseline the choice is default;
/// where the baseline may not be chosen, the fastest candidate's ties are all there is.
Choice choose(const RaceResult& result, const ChoiceRules& rules);

/// What a kernel that other row counts use as well may cost at most, where that is known: 1 %.
constexpr double kSharingCosts = 0.01;

/// The arms that may stand in for the chosen one, and what they cost against the fastest, 0 at
/// least: those that were not dropped, beat the baseline beyond noise and are surely slower by
/// kSharingCosts at most. The chosen one is among them. None where the choice is the baseline.
std::map<std::int32_t, double> sharable_arms(const Choice& choice, const ChoiceRules& rules);

}  // namespace fusetune
