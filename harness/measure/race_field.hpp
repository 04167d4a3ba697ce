#pragma once
// The arms that are left in a race, and who of them goes: by the samples that there are.

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "harness/measure/race.hpp"
#include "harness/stats/standings.hpp"

namespace fusetune {

/// Arms race within their groups (RaceOptions::groups). Those of RaceOptions::keep are only
/// compared with: they are never dropped for being slow.
class RaceField {
 public:
  /// Reads the samples of `result`, and writes there who left.
  RaceField(const RaceOptions& options, RaceResult& result) : options_(options), result_(result) {}

  /// Those within RaceOptions::probe_cutoff of their group's best: times by arm, and the best by
  /// group.
  void enter_probed(const std::vector<double>& probe_us,
                    const std::map<std::int32_t, double>& best_us);

  const std::vector<std::int32_t>& alive() const { return alive_; }
  bool is_kept(std::int32_t arm) const;
  std::int32_t group_of(std::int32_t arm) const;
  /// How many are left that can win.
  std::size_t candidates() const;
  /// Epochs that were begun so far: who leaves, leaves after so many.
  std::int32_t epochs() const { return epochs_; }
  void set_epochs(std::int32_t epochs) { epochs_ = epochs; }

  /// Of each group, by the epochs from one on.
  std::vector<Standings> standings_from(std::int32_t epoch, double confidence, Spread spread) const;
  /// Arms that are timed only to be compared with need no such care where they are far behind.
  std::set<std::int32_t> far_kept() const;
  /// Nothing left can be faster than the leader by more than the least that counts.
  bool is_bounded(std::int32_t from, double confidence) const;
  /// In the epochs of the confirmation.
  bool kept_have_two_epochs() const;

  /// Whose best sample is so far behind the best of its group.
  void drop_far(double cut);
  /// After `done` epochs from one on: after one what is `far` off, then by the spread of all arms.
  void drop_slower(std::int32_t from, int done, double confidence, double far);
  /// All but the fastest of each group by their means.
  void keep_best(std::size_t count);
  /// Its results are wrong: it has no times.
  void disprove(std::int32_t arm, const Outcome& outcome);

 private:
  void eliminate(const std::set<std::int32_t>& arms);

  const RaceOptions& options_;
  RaceResult& result_;
  std::vector<std::int32_t> alive_;
  std::int32_t epochs_ = 0;
};

}  // namespace fusetune
