#pragma once
// A race goes on without the arms that failed in it: one attempt after the other, each among fewer
// of them and in another worker.

#include <cstdint>
#include <vector>

#include "harness/measure/race.hpp"

namespace fusetune {

class RaceAttempt {
 public:
  /// Among all arms.
  explicit RaceAttempt(std::size_t arms);

  /// The numbers in the race of those that take part, in the order of the attempt.
  const std::vector<std::int32_t>& arms() const { return arms_; }
  /// The attempt's options: `keep` and `groups` are told in its numbers.
  RaceOptions among(const RaceOptions& options) const;
  /// Who of several failed is not known: from the next attempt on they run one by one.
  void look_closer() { one_by_one_ = true; }
  bool one_by_one() const { return one_by_one_; }
  /// From the next attempt on one of this attempt's arms stays away.
  void leave_out(std::int32_t arm, Outcome why);
  /// The attempt's result in the race's numbers, with whom was left out.
  RaceResult told_of_all(RaceResult result) const;

 private:
  std::size_t all_;
  std::vector<std::int32_t> arms_;
  std::vector<Disproof> failed_;
  bool one_by_one_ = false;
};

}  // namespace fusetune
