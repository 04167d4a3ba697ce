#pragma once
// From pairs of kernels to verdicts: every pair is screened within one process; what is not shown
// to be as fast as its baseline is a suspect, and is timed again in fresh processes, on whose
// figures alone it is judged.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/gate/decision.hpp"

namespace fusetune {

/// A candidate and its baseline on one case, to be timed. Observations are logarithms of the
/// candidate's time over the baseline's.
class Pair {
 public:
  virtual ~Pair() = default;
  /// Adds so many epochs of one process, or less where its budget ends. False: it cannot be timed,
  /// or nothing was added.
  virtual bool add_epochs(int count, std::vector<double>& log_ratios) = 0;
  /// Adds the mean over `epochs` epochs of a process of its own. False as above.
  virtual bool add_process(int epochs, std::vector<double>& log_ratios) = 0;
};

/// A pair and what differs between pairs.
struct JudgedPair {
  Pair* pair = nullptr;
  double delta = 0.03;
  /// The same code on both sides: it is screened, and there is nothing to confirm.
  bool known_equal = false;
};

struct TwoStageRules {
  double noise = 0;  ///< as in DecisionRules
  std::vector<int> looks = {4, 6, 8, 12};
  double alpha = 0.025;         ///< per side, of the screening
  double alpha_confirm = 0.01;  ///< per side, of all suspects together
  /// Where placement is one process' own, more of its epochs tell no more; where it is not, three
  /// of them find 5 % with the twelve processes that there are at most.
  int epochs_per_process = 3;
};

struct PairResult {
  Trial screen;
  std::optional<Trial> confirmation;  ///< of a suspect
  std::vector<double> epochs, processes;
  bool failed = false;    ///< could not be timed to the end; the pair itself knows why
  Judgement judgement{};  ///< of what could

  /// What the verdict is made of.
  const Trial& deciding() const { return confirmation ? *confirmation : screen; }
};

DecisionRules screening_rules(const TwoStageRules& rules, double delta);
DecisionRules confirmation_rules(const TwoStageRules& rules, double delta);

/// Who is told what happens.
struct JudgingEvents {
  std::function<bool()> stop{};                ///< asked before each piece of work
  std::function<void(std::size_t)> settled{};  ///< told of each pair that is timed no more
};

/// The pairs one after the other, then the suspects. What was not timed because of `stop` has
/// failed.
std::vector<PairResult> judge_pairs(std::span<const JudgedPair> pairs, const TwoStageRules& rules,
                                    const JudgingEvents& events = {});

}  // namespace fusetune
