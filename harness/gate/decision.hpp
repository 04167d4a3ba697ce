#pragma once
// What a gate says of a ratio: pure functions over the log-ratios of epochs (or of processes), each
// of which is one independent observation of candidate over baseline. docs/gate.md has the measured
// error rates of these rules.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/gate/gate_report.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

/// Of one case. Shares of a time: 0.03 is 3 %.
struct DecisionRules {
  double delta = 0.03;  ///< the least change that counts
  double noise = 0;     ///< half width of the interval of a kernel against itself
  /// After so many observations it is looked; the last is the most.
  std::vector<int> looks = {4, 6, 8, 12};
  double alpha = 0.025;  ///< per side, of all looks together: each has its equal part
};

/// Delta, but never below one and a half times the noise: what a machine sees of a kernel against
/// itself is no effect. A change must be larger than this; that there is none must be shown to
/// delta itself, or the noisiest machine would let most pass.
double effective_delta(const DecisionRules& rules);

/// Where an interval of the ratio lies.
enum class Leaning {
  open,        ///< nothing is shown
  equivalent,  ///< surely not slower by delta
  faster,      ///< surely faster by the effective delta
  slower,      ///< surely slower by the effective delta
};
Leaning leaning_of(const Interval& ratio, const DecisionRules& rules);

/// A trial as far as its observations go.
struct Trial {
  int observations = 0;  ///< that were looked at; 0: fewer than the first look asks for
  Interval ratio{};      ///< candidate over baseline at that look, at the look's part of alpha
  Leaning leaning = Leaning::open;
  /// That a ratio of 1 + delta or less gives what was seen, over all looks up to this one: the
  /// least of them times the number of looks, 1 at most.
  double p_slower = 1;
  int next_look = 0;  ///< so many observations are wanted; 0: the trial is over
};

/// Looks at the observations in their order, at each look that they reach, up to the first that
/// decides. What comes after it is not looked at. Throws std::invalid_argument for looks that do
/// not grow from 2 up, or for an alpha outside of (0, 0.5).
Trial judge(std::span<const double> log_ratios, const DecisionRules& rules);

/// As judge(), for a suspect: looked at until `p_slower` is at most `alpha_each`, or it is shown
/// not to be slower.
Trial confirm(std::span<const double> log_ratios, const DecisionRules& rules, double alpha_each);

/// The least slowdown, in percent, that this interval's width lets be seen as one.
double detectable_percent(const Trial& trial, double delta);

/// Holm's step-down procedure: which of the hypotheses are rejected when one false rejection among
/// all has at most the probability alpha.
std::vector<bool> holm(std::span<const double> p, double alpha);

/// A verdict with the sentence that explains it.
struct Judgement {
  Verdict verdict = Verdict::inconclusive;
  std::string reason;
};

/// Of a trial that is over. `confirmed`: fresh processes and Holm's procedure say so too; without
/// it nothing is a regression.
Judgement judgement_of(const Trial& trial, const DecisionRules& rules, bool confirmed);

/// One case of a suite, by its estimate.
struct SuiteCase {
  double log_ratio = 0;
  double weight = 1;
};

constexpr double kSuiteDelta = 0.01;

/// Geometric mean of the ratios, weighted, with its 95 % t interval over the cases: finds many
/// small losses that no single case shows. Less than three cases are no suite: skipped, and said.
SuiteFinding judge_suite(const std::string& group, std::span<const SuiteCase> cases,
                         double delta = kSuiteDelta);

/// "decode" up to 128 rows, "prefill" above: they are judged apart.
std::string group_of_rows(std::int64_t rows);

}  // namespace fusetune
