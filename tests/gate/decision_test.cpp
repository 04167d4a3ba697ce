#include "harness/gate/decision.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

#include "harness/gate/two_stage.hpp"

namespace fusetune {
namespace {

/// Around a ratio, alternately above and below.
std::vector<double> around(double ratio, double spread, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(std::log(ratio) + (i % 2 == 0 ? spread : -spread));
  return values;
}

TEST(Delta, IsNeverBelowOneAndAHalfTimesTheNoise) {
  EXPECT_DOUBLE_EQ(effective_delta({}), 0.03);
  EXPECT_DOUBLE_EQ(effective_delta({.delta = 0.03, .noise = 0.01}), 0.03);
  EXPECT_DOUBLE_EQ(effective_delta({.delta = 0.03, .noise = 0.04}), 0.06);
}

TEST(Leaning, IsTheWholeIntervals) {
  EXPECT_EQ(leaning_of({1.031, 1.05, 1.07}, {}), Leaning::slower);
  EXPECT_EQ(leaning_of({1.029, 1.05, 1.07}, {}), Leaning::open);
  EXPECT_EQ(leaning_of({0.97, 1.0, 1.029}, {}), Leaning::equivalent);
  // A change below delta that is surely there is not a regression.
  EXPECT_EQ(leaning_of({1.01, 1.015, 1.02}, {}), Leaning::equivalent);
  EXPECT_EQ(leaning_of({0.9, 0.95, 0.969}, {}), Leaning::faster);
  EXPECT_EQ(leaning_of({0.9, 0.95, 0.98}, {}), Leaning::equivalent);
  // No significance is no pass.
  EXPECT_EQ(leaning_of({0.9, 1.0, 1.1}, {}), Leaning::open);
  EXPECT_EQ(leaning_of({0, std::nan(""), INFINITY}, {}), Leaning::open);
}

TEST(Leaning, NoiseMakesNothingGreen) {
  const DecisionRules noisy{.delta = 0.03, .noise = 0.1};
  // Well within 1.5 times the noise, and not shown to be within what is asked for.
  EXPECT_EQ(leaning_of({0.96, 1.0, 1.05}, noisy), Leaning::open);
  EXPECT_EQ(leaning_of({1.05, 1.08, 1.11}, noisy), Leaning::open);
  EXPECT_EQ(leaning_of({1.16, 1.2, 1.25}, noisy), Leaning::slower);
  EXPECT_EQ(leaning_of({0.99, 1.0, 1.02}, noisy), Leaning::equivalent);
}

TEST(Judge, WaitsForItsLooks) {
  EXPECT_EQ(judge({}, {}).next_look, 4);
  EXPECT_EQ(judge(around(1, 0.001, 3), {}).next_look, 4);
  EXPECT_EQ(judge(around(1, 0.001, 3), {}).leaning, Leaning::open);
  const Trial equal = judge(around(1, 0.001, 4), {});
  EXPECT_EQ(equal.leaning, Leaning::equivalent);
  EXPECT_EQ(equal.next_look, 0);
  EXPECT_EQ(judge(around(1, 0.05, 5), {}).next_look, 6);
  EXPECT_EQ(judge(around(1, 0.05, 11), {}).next_look, 12);
  const Trial open = judge(around(1, 0.1, 12), {});
  EXPECT_EQ(open.leaning, Leaning::open);
  EXPECT_EQ(open.next_look, 0);
}

TEST(Judge, DoesNotLookBehindWhatDecided) {
  std::vector<double> values = around(1, 0.001, 4);
  for (const double late : around(1.5, 0.001, 8)) values.push_back(late);
  const Trial trial = judge(values, {});
  EXPECT_EQ(trial.observations, 4);
  EXPECT_EQ(trial.leaning, Leaning::equivalent);
}

TEST(Judge, SpendsAlphaOverItsLooks) {
  // t of 3 degrees of freedom at 1 - 0.025/4: the interval of one look of four.
  const std::vector<double> values = around(1, 0.01, 4);
  const Trial trial = judge(values, {.delta = 1});
  const double error = 0.01 * std::sqrt(4.0 / 3 / 4);
  EXPECT_NEAR(std::log(trial.ratio.high), student_t_quantile(1 - 0.025 / 4, 3) * error, 1e-12);
  EXPECT_NEAR(student_t_quantile(1 - 0.025 / 4, 3), 5.4, 0.1);
}

TEST(Judge, ADeviceWithoutNoiseDecides) {
  EXPECT_EQ(judge(std::vector<double>(4, std::log(1.05)), {}).leaning, Leaning::slower);
  EXPECT_EQ(judge(std::vector<double>(4, std::log(1.05)), {}).p_slower, 0);
  EXPECT_EQ(judge(std::vector<double>(4, 0), {}).leaning, Leaning::equivalent);
  EXPECT_EQ(judge(std::vector<double>(4, 0), {}).p_slower, 1);
}

TEST(Judge, RefusesRulesThatSayNothing) {
  const std::vector<double> values(12, 0);
  EXPECT_THROW(judge(values, {.looks = {}}), std::invalid_argument);
  EXPECT_THROW(judge(values, {.looks = {1, 2}}), std::invalid_argument);
  EXPECT_THROW(judge(values, {.looks = {4, 4}}), std::invalid_argument);
  EXPECT_THROW(judge(values, {.alpha = 0}), std::invalid_argument);
  EXPECT_THROW(judge(values, {.alpha = 0.5}), std::invalid_argument);
}

TEST(Detectable, IsTheBoundPastTheHalfWidth) {
  Trial trial;
  trial.ratio = {0.98, 1.0, 1.0 / 0.98};
  EXPECT_NEAR(detectable_percent(trial, 0.03), 100 * (1.03 / 0.98 - 1), 1e-9);
  EXPECT_TRUE(std::isinf(detectable_percent(judge({}, {}), 0.03)));
}

TEST(Holm, StepsDownAndStops) {
  EXPECT_EQ(holm(std::vector<double>{0.001, 0.004, 0.03}, 0.01),
            (std::vector<bool>{true, true, false}));
  // Alone 0.004 would do; beside two others that are nothing it needs 0.01 / 3.
  EXPECT_EQ(holm(std::vector<double>{0.5, 0.004, 0.6}, 0.01),
            (std::vector<bool>{false, false, false}));
  EXPECT_EQ(holm(std::vector<double>{0.004}, 0.01), (std::vector<bool>{true}));
  // One that fails keeps all behind it.
  EXPECT_EQ(holm(std::vector<double>{0.006, 0.0051}, 0.01), (std::vector<bool>{false, false}));
  EXPECT_TRUE(holm({}, 0.01).empty());
}

TEST(Judgement, BlamesTheMachineOnlyWhereItIsTheMachine) {
  const Trial open = judge(around(1, 0.1, 12), {});
  EXPECT_EQ(judgement_of(open, {}, false).verdict, Verdict::inconclusive);
  EXPECT_NE(judgement_of(open, {}, false).reason.find("could have been seen"), std::string::npos);
  EXPECT_EQ(judgement_of(open, {.noise = 0.05}, false).verdict, Verdict::noise_limited);
  EXPECT_EQ(judgement_of(open, {.noise = 0.025}, false).verdict, Verdict::inconclusive);
  EXPECT_EQ(judgement_of(judge(around(1, 0.001, 4), {}), {}, false).verdict, Verdict::pass);
  EXPECT_EQ(judgement_of(judge(around(0.9, 0.001, 4), {}), {}, false).verdict,
            Verdict::improvement);
}

TEST(Judgement, NothingIsARegressionUnconfirmed) {
  const Trial slower = judge(around(1.2, 0.001, 4), {});
  ASSERT_EQ(slower.leaning, Leaning::slower);
  EXPECT_EQ(judgement_of(slower, {}, false).verdict, Verdict::inconclusive);
  EXPECT_EQ(judgement_of(slower, {}, true).verdict, Verdict::regression);
}

TEST(Suite, FindsManySmallLosses) {
  std::vector<SuiteCase> cases;
  for (int i = 0; i < 20; ++i) cases.push_back({std::log(1.02) + (i % 2 == 0 ? 0.004 : -0.004), 1});
  EXPECT_EQ(judge_suite("decode", cases).verdict, Verdict::regression);
  EXPECT_NEAR(judge_suite("decode", cases).ratio->mid, 1.02, 1e-9);
  for (SuiteCase& one : cases) one.log_ratio -= std::log(1.02);
  EXPECT_EQ(judge_suite("decode", cases).verdict, Verdict::pass);
  for (SuiteCase& one : cases) one.log_ratio -= std::log(1.05);
  EXPECT_EQ(judge_suite("decode", cases).verdict, Verdict::improvement);
  for (std::size_t i = 0; i < cases.size(); ++i) cases[i].log_ratio = i % 2 == 0 ? 0.2 : -0.2;
  EXPECT_EQ(judge_suite("decode", cases).verdict, Verdict::inconclusive);
}

TEST(Suite, WeighsItsCases) {
  const std::vector<SuiteCase> cases = {{std::log(1.1), 0.8}, {0, 0.1}, {0, 0.1}};
  EXPECT_NEAR(judge_suite("prefill", cases).ratio->mid, std::exp(0.8 * std::log(1.1)), 1e-12);
}

TEST(Suite, TwoCasesAreNone) {
  const std::vector<SuiteCase> cases = {{0, 1}, {0, 1}};
  EXPECT_EQ(judge_suite("decode", cases).verdict, Verdict::skipped);
  EXPECT_EQ(judge_suite("decode", {}).verdict, Verdict::skipped);
}

TEST(Group, DecodeEndsAt128Rows) {
  EXPECT_EQ(group_of_rows(1), "decode");
  EXPECT_EQ(group_of_rows(128), "decode");
  EXPECT_EQ(group_of_rows(129), "prefill");
}

/// Epochs of one ratio, fresh processes of another.
class TwoFaced : public Pair {
 public:
  TwoFaced(double in_process, double fresh) : in_process_(in_process), fresh_(fresh) {}
  bool add_epochs(int count, std::vector<double>& log_ratios) override {
    for (int i = 0; i < count; ++i) add(in_process_, log_ratios);
    return count > 0 && in_process_ > 0;
  }
  bool add_process(int epochs, std::vector<double>& log_ratios) override {
    ++processes;
    add(fresh_, log_ratios);
    return epochs > 0 && fresh_ > 0;
  }
  int processes = 0;

 private:
  static void add(double ratio, std::vector<double>& log_ratios) {
    log_ratios.push_back(std::log(std::abs(ratio)) + (log_ratios.size() % 2 == 0 ? 1e-3 : -1e-3));
  }
  double in_process_, fresh_;
};

TEST(TwoStages, WhatOneProcessAloneShowsIsNoRegression) {
  TwoFaced placed(1.08, 1.0), slower(1.08, 1.08), same(1.0, 1.08);
  const std::vector<JudgedPair> pairs = {{&placed}, {&slower}, {&same}};
  const std::vector<PairResult> results = judge_pairs(pairs, {});
  EXPECT_EQ(results[0].judgement.verdict, Verdict::pass);
  EXPECT_EQ(results[1].judgement.verdict, Verdict::regression);
  EXPECT_EQ(results[2].judgement.verdict, Verdict::pass);
  EXPECT_EQ(same.processes, 0) << "what passed is not timed again";
  EXPECT_GE(slower.processes, 4);
}

TEST(TwoStages, AKnownEqualPairIsNotConfirmed) {
  TwoFaced slower(1.08, 1.08);
  const JudgedPair pair{&slower, 0.03, true};
  EXPECT_EQ(judge_pairs({&pair, 1}, {}).front().judgement.verdict, Verdict::inconclusive);
  EXPECT_EQ(slower.processes, 0);
}

TEST(TwoStages, EachPairHasItsOwnDelta) {
  TwoFaced slower(1.05, 1.05), allowed(1.05, 1.05);
  std::vector<std::size_t> settled;
  const std::vector<JudgedPair> pairs = {{&slower, 0.03}, {&allowed, 0.10}};
  const auto results =
      judge_pairs(pairs, {}, {.settled = [&settled](std::size_t i) { settled.push_back(i); }});
  EXPECT_EQ(results[0].judgement.verdict, Verdict::regression);
  EXPECT_EQ(results[1].judgement.verdict, Verdict::pass);
  EXPECT_EQ(settled, (std::vector<std::size_t>{1, 0}));
}

TEST(TwoStages, WhatCannotBeTimedHasFailed) {
  TwoFaced broken(-1, 1), breaks(1.08, -1), fine(1, 1);
  const std::vector<JudgedPair> pairs = {{&broken}, {&breaks}, {&fine}};
  const std::vector<PairResult> results = judge_pairs(pairs, {});
  EXPECT_TRUE(results[0].failed);
  EXPECT_TRUE(results[1].failed);
  EXPECT_FALSE(results[2].failed);
  for (const PairResult& result : judge_pairs(pairs, {}, {.stop = [] { return true; }}))
    EXPECT_TRUE(result.failed);
}

}  // namespace
}  // namespace fusetune
