#include "harness/gate/two_stage.hpp"

#include <algorithm>

namespace fusetune {

namespace {

using Stop = std::function<bool()>;

bool wants_stop(const Stop& stop) { return stop && stop(); }

void screen(Pair& pair, const DecisionRules& rules, const Stop& stop, PairResult& result) {
  result.screen = judge(result.epochs, rules);
  while (result.screen.next_look > 0) {
    const int missing = result.screen.next_look - static_cast<int>(result.epochs.size());
    if (wants_stop(stop) || !pair.add_epochs(missing, result.epochs)) {
      result.failed = true;
      return;
    }
    result.screen = judge(result.epochs, rules);
  }
}

bool is_suspect(const PairResult& result) {
  return !result.failed && result.screen.leaning != Leaning::equivalent &&
         result.screen.leaning != Leaning::faster;
}

void confirm_suspect(const JudgedPair& judged, const TwoStageRules& rules, double alpha_each,
                     const Stop& stop, PairResult& result) {
  const DecisionRules fresh = confirmation_rules(rules, judged.delta);
  result.confirmation = confirm(result.processes, fresh, alpha_each);
  while (result.confirmation->next_look > 0) {
    if (wants_stop(stop) || !judged.pair->add_process(rules.epochs_per_process, result.processes)) {
      result.failed = true;
      return;
    }
    result.confirmation = confirm(result.processes, fresh, alpha_each);
  }
}

}  // namespace

DecisionRules screening_rules(const TwoStageRules& rules, double delta) {
  return {delta, rules.noise, rules.looks, rules.alpha};
}

DecisionRules confirmation_rules(const TwoStageRules& rules, double delta) {
  return {delta, rules.noise, rules.looks, rules.alpha_confirm};
}

std::vector<PairResult> judge_pairs(std::span<const JudgedPair> pairs, const TwoStageRules& rules,
                                    const JudgingEvents& events) {
  std::vector<PairResult> results(pairs.size());
  std::vector<std::size_t> suspects;
  const auto settle = [&events](std::size_t i) {
    if (events.settled) events.settled(i);
  };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    screen(*pairs[i].pair, screening_rules(rules, pairs[i].delta), events.stop, results[i]);
    if (!pairs[i].known_equal && is_suspect(results[i]))
      suspects.push_back(i);
    else
      settle(i);
  }
  const double alpha_each =
      rules.alpha_confirm / static_cast<double>(std::max<std::size_t>(1, suspects.size()));
  std::vector<double> p;
  for (const std::size_t i : suspects) {
    confirm_suspect(pairs[i], rules, alpha_each, events.stop, results[i]);
    // One that could not be timed still counts among the suspects.
    p.push_back(results[i].failed ? 1 : results[i].confirmation->p_slower);
    settle(i);
  }
  const std::vector<bool> slower = holm(p, rules.alpha_confirm);
  std::vector<bool> confirmed(pairs.size(), false);
  for (std::size_t s = 0; s < suspects.size(); ++s) confirmed[suspects[s]] = slower[s];
  for (std::size_t i = 0; i < pairs.size(); ++i)
    results[i].judgement =
        judgement_of(results[i].deciding(),
                     results[i].confirmation ? confirmation_rules(rules, pairs[i].delta)
                                             : screening_rules(rules, pairs[i].delta),
                     confirmed[i]);
  return results;
}

}  // namespace fusetune
