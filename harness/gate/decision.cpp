#include "harness/gate/decision.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace fusetune {

namespace {

constexpr double kOfNoise = 1.5;
constexpr std::int64_t kDecodeRowsMax = 128;
constexpr std::size_t kSuiteCasesMin = 3;

void require_sound(const DecisionRules& rules) {
  bool grows = !rules.looks.empty() && rules.looks.front() >= 2;
  for (std::size_t i = 1; i < rules.looks.size(); ++i)
    grows = grows && rules.looks[i] > rules.looks[i - 1];
  if (!grows) throw std::invalid_argument("looks of a gate grow from 2 up");
  if (!(rules.alpha > 0 && rules.alpha < 0.5))
    throw std::invalid_argument("alpha of a gate is between 0 and 0.5");
}

Interval ratio_of(const Interval& log_ratio) {
  return {std::exp(log_ratio.low), std::exp(log_ratio.mid), std::exp(log_ratio.high)};
}

/// P of observations as these or slower, where the ratio is 1 + delta.
double p_of_slower(std::span<const double> log_ratios, double delta) {
  const auto n = static_cast<double>(log_ratios.size());
  const double mean = std::accumulate(log_ratios.begin(), log_ratios.end(), 0.0) / n;
  double squares = 0;
  for (const double value : log_ratios) squares += (value - mean) * (value - mean);
  const double excess = mean - std::log1p(delta);
  const double error = std::sqrt(squares / (n - 1) / n);
  if (error == 0) return excess > 0 ? 0 : 1;  // a device without noise
  return student_t_cdf(-excess / error, log_ratios.size() - 1);
}

/// `is_over` says whether a look ends the trial.
template <typename IsOver>
Trial walk(std::span<const double> log_ratios, const DecisionRules& rules, const IsOver& is_over) {
  require_sound(rules);
  const double delta = effective_delta(rules);
  const auto looks = static_cast<double>(rules.looks.size());
  Trial trial;
  trial.ratio = ratio_of(t_interval({}));
  for (const int look : rules.looks) {
    trial.next_look = look;
    if (static_cast<std::size_t>(look) > log_ratios.size()) return trial;
    const auto seen = log_ratios.first(static_cast<std::size_t>(look));
    trial.observations = look;
    trial.ratio = ratio_of(t_interval(seen, 1 - 2 * rules.alpha / looks));
    trial.leaning = leaning_of(trial.ratio, rules);
    trial.p_slower = std::min(trial.p_slower, looks * p_of_slower(seen, delta));
    if (is_over(trial)) break;
  }
  trial.next_look = 0;
  return trial;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

double effective_delta(const DecisionRules& rules) {
  return std::max(rules.delta, kOfNoise * rules.noise);
}

Leaning leaning_of(const Interval& ratio, const DecisionRules& rules) {
  const double effect = effective_delta(rules);
  if (ratio.low > 1 + effect) return Leaning::slower;
  if (ratio.high < 1 - effect) return Leaning::faster;
  return ratio.high < 1 + rules.delta ? Leaning::equivalent : Leaning::open;
}

Trial judge(std::span<const double> log_ratios, const DecisionRules& rules) {
  return walk(log_ratios, rules, [](const Trial& trial) { return trial.leaning != Leaning::open; });
}

Trial confirm(std::span<const double> log_ratios, const DecisionRules& rules, double alpha_each) {
  return walk(log_ratios, rules, [alpha_each](const Trial& trial) {
    return trial.p_slower <= alpha_each || trial.leaning == Leaning::equivalent ||
           trial.leaning == Leaning::faster;
  });
}

double detectable_percent(const Trial& trial, double delta) {
  if (!(trial.ratio.low > 0)) return std::numeric_limits<double>::infinity();
  return 100 * ((1 + delta) * trial.ratio.mid / trial.ratio.low - 1);
}

std::vector<bool> holm(std::span<const double> p, double alpha) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&p](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<bool> rejected(p.size(), false);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!(p[order[i]] <= alpha / static_cast<double>(p.size() - i))) break;
    rejected[order[i]] = true;
  }
  return rejected;
}

Judgement judgement_of(const Trial& trial, const DecisionRules& rules, bool confirmed) {
  const double delta = effective_delta(rules);
  const std::string allowed =
      delta > rules.delta
          ? fmt::format("{} (asked for {}; a kernel differs from itself by up to {})",
                        percent(delta), percent(rules.delta), percent(rules.noise))
          : percent(delta);
  if (confirmed)
    return {
        Verdict::regression,
        fmt::format("slower than the baseline by more than {}, in fresh processes too", allowed)};
  if (trial.leaning == Leaning::faster)
    return {Verdict::improvement, fmt::format("faster than the baseline by more than {}: accept it "
                                              "as the new baseline",
                                              allowed)};
  if (trial.leaning == Leaning::equivalent)
    return {Verdict::pass, fmt::format("surely not slower by {}", percent(rules.delta))};
  if (trial.observations == 0)
    return {Verdict::inconclusive, "too few observations for a single look"};
  const std::string seen =
      fmt::format("only a slowdown of {:.1f} % or more could have been seen, and {} counts",
                  detectable_percent(trial, delta), allowed);
  if (rules.noise > rules.delta)
    return {Verdict::noise_limited, fmt::format("the noise of this machine: {}", seen)};
  if (trial.leaning == Leaning::slower)
    return {Verdict::inconclusive, "slower, but that did not stand among all suspects: " + seen};
  return {Verdict::inconclusive, seen};
}

SuiteFinding judge_suite(const std::string& group, std::span<const SuiteCase> cases, double delta) {
  SuiteFinding finding;
  finding.group = group;
  finding.cases = std::ssize(cases);
  if (cases.size() < kSuiteCasesMin) {
    finding.verdict = Verdict::skipped;
    finding.reason = fmt::format("{} timed against other code: no suite to judge", cases.size());
    return finding;
  }
  double weights = 0, sum = 0, squares = 0;
  for (const SuiteCase& one : cases) {
    weights += one.weight;
    sum += one.weight * one.log_ratio;
  }
  const double mean = sum / weights;
  for (const SuiteCase& one : cases) {
    const double part = one.weight * (one.log_ratio - mean) / weights;
    squares += part * part;
  }
  const auto n = static_cast<double>(cases.size());
  const double half =
      student_t_quantile(0.975, cases.size() - 1) * std::sqrt(squares * n / (n - 1));
  finding.ratio = ratio_of({mean - half, mean, mean + half});
  switch (leaning_of(*finding.ratio, {.delta = delta})) {
    case Leaning::slower:
      finding.verdict = Verdict::regression;
      finding.reason = fmt::format("slower by more than {} over all", percent(delta));
      break;
    case Leaning::faster:
      finding.verdict = Verdict::improvement;
      finding.reason = fmt::format("faster by more than {} over all", percent(delta));
      break;
    case Leaning::equivalent:
      finding.verdict = Verdict::pass;
      finding.reason = fmt::format("surely not slower by {} over all", percent(delta));
      break;
    case Leaning::open:
      finding.verdict = Verdict::inconclusive;
      finding.reason =
          fmt::format("whether it is slower by {} over all is not shown", percent(delta));
      break;
  }
  return finding;
}

std::string group_of_rows(std::int64_t rows) {
  return rows <= kDecodeRowsMax ? "decode" : "prefill";
}

}  // namespace fusetune
