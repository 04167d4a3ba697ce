#pragma once
// A kernel against itself, as the gate times everything else: how far apart this machine puts what
// is the same, today.

#include <string>
#include <vector>

#include "harness/gate/candidates.hpp"
#include "harness/gate/duel.hpp"

namespace fusetune {

struct NullTest {
  std::string case_key;
  Interval ratio{};  ///< at 95 %
  /// Twice in a row the interval left out 1 by more than half a percent: no ratio that is measured
  /// here can be believed.
  bool failed = false;
  Outcome outcome;  ///< of what could not be timed

  /// Of the interval, as a share; 0 of what was not timed.
  double half_width() const;
};

/// Of the cases of these numbers that move the least and the most bytes. One that is too wide to
/// judge `delta` by is done again: a machine that was disturbed once is not a noisy one, whose
/// every try is wide. The narrowest counts.
std::vector<NullTest> null_tests(const Candidates& candidates,
                                 const std::vector<std::size_t>& numbers, double delta,
                                 DuelGround& ground);

/// The widest of them.
double noise_of(const std::vector<NullTest>& tests);

}  // namespace fusetune
