// The passes of tolerant outputs, sorted into the checks that name the cause.

#include "harness/verify/results.hpp"

#include <gmock/gmock.h>

#include <memory>

#include "harness/verify/ladder.hpp"
#include "tests/verify/ladder_fixture.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::int64_t kRows = 4, kWidth = 32;

/// y = x * weight, and `acc` = acc + x in its first two rows.
Case scaled_case() {
  Case which = mirror_case({.rows = kRows, .width = kWidth, .padding = 0});
  auto family = std::make_shared<Family>(*which.geometry.family);
  TensorDecl weight = tensor_decl("weight", Role::in, false);
  weight.shape.erase(weight.shape.begin());
  family->tensors = {tensor_decl("x", Role::in, false), weight, tensor_decl("y", Role::out, false),
                     tensor_decl("acc", Role::inout, false)};
  for (const std::size_t tensor : {2, 3}) {
    Accept& accept = family->tensors[tensor].accept;
    accept.exact = false;
    accept.bound.emplace();
    accept.bound->terms = Expr::constant(2);
    accept.norms = Accept::Norms::row;
  }
  which.geometry.family = family;
  which.geometry.align_bytes["weight"] = 2;
  which.row_strides.clear();
  return which;
}

Pass make_pass(const Case& which, Poison poison, int seed) {
  Pass pass;
  pass.poison = poison;
  pass.name = "normal";
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    pass.initial.emplace(tensor->name, shape_of(which, *tensor));
  std::mt19937_64 random(seed);
  std::normal_distribution<double> values;
  for (const char* name : {"x", "weight", "acc"})
    for (std::int64_t i = 0; i < pass.initial.at(name).shape.elements(); ++i)
      set(pass.initial.at(name), i, values(random));
  fill_elements(pass.initial.at("y"), poison);
  pass.expected = {{"y", pass.initial.at("y")}, {"acc", pass.initial.at("acc")}};
  reference::Truth &y = pass.truths["y"], &acc = pass.truths["acc"];
  for (std::int64_t i = 0; i < kRows * kWidth; ++i) {
    const double x = get(pass.initial.at("x"), i), old = get(pass.initial.at("acc"), i);
    const bool added = i < 2 * kWidth;
    y.value.push_back(x * get(pass.initial.at("weight"), i % kWidth));
    acc.value.push_back(added ? old + x : old);
    acc.magnitude.push_back(std::fabs(old) + (added ? std::fabs(x) : 0));
    set(pass.expected.at("y"), i, y.value.back());
    set(pass.expected.at("acc"), i, acc.value.back());
  }
  pass.actual = pass.expected;
  return pass;
}

class Results : public ::testing::Test {
 protected:
  Case which_ = scaled_case();
  std::vector<Pass> passes_{make_pass(which_, Poison::a, 1), make_pass(which_, Poison::b, 2)};

  ProofReport judge(double cosine_min = -1) {
    Findings findings;
    const Explainer explainer(which_, nullptr, nullptr, passes_);
    const ResultMetrics metrics = check_results(which_, passes_, explainer, &findings, cosine_min);
    check_compared(which_, &findings);
    ProofReport report;
    findings.conclude(&report);
    report.outputs = metrics.outputs;
    report.mismatch_map = metrics.mismatch_map;
    return report;
  }
  TensorImage& actual(int pass, const char* tensor) {
    return passes_[static_cast<std::size_t>(pass)].actual.at(tensor);
  }
  TensorImage& initial(int pass, const char* tensor) {
    return passes_[static_cast<std::size_t>(pass)].initial.at(tensor);
  }
};

std::int64_t compared(const ProofReport& report, const std::string& check) {
  for (const CheckCount& count : report.checks)
    if (count.name == check) return count.comparisons;
  return -1;
}

TEST_F(Results, ARightKernelPassesAndEverythingIsCounted) {
  const ProofReport report = judge();
  EXPECT_EQ(report.outcome.status, Status::ok) << report.outcome.message;
  // An addend may vanish in the sum: its element stays, too.
  EXPECT_GE(compared(report, "untouched"), 2 * 2 * kWidth);
  EXPECT_LT(compared(report, "untouched"), 2 * 2 * kWidth + 8);
  EXPECT_EQ(compared(report, "values") + compared(report, "untouched"), 2 * 2 * kRows * kWidth);
  EXPECT_EQ(compared(report, "norms"), 2 * 2 * kRows);
  EXPECT_EQ(compared(report, "exact"), -1);
  ASSERT_EQ(report.outputs.size(), 2u);
  EXPECT_EQ(report.outputs[0].tensor, "y");
  EXPECT_EQ(report.outputs[0].elements, 2 * kRows * kWidth);
  EXPECT_THAT(report.outputs[0].rule,
              AllOf(HasSubstr("error <= u * |truth| + 4 * sqrt(2) * 2^-24 * S"),
                    HasSubstr(" and norms per row <= 0.009")));
  EXPECT_LE(report.outputs[0].share_of_limit_max, 1);
  EXPECT_GT(report.outputs[0].share_of_limit_max, 0.5);
  EXPECT_EQ(report.mismatch_map, "");
  EXPECT_THAT(report.outputs[0].worst, HasSubstr("inputs (normal): x["));
}

TEST_F(Results, AnotherRoundingOfATieIsNoDifference) {
  // One step off where the truth is nearly between two numbers.
  for (Pass& pass : passes_) {
    pass.truths["y"].value[7] = 1 + 0x1p-8 + 1e-10;
    set(pass.expected.at("y"), 7, 1 + 0x1p-7);
    set(pass.actual.at("y"), 7, 1);
  }
  const ProofReport report = judge();
  EXPECT_EQ(report.outcome.status, Status::ok) << report.outcome.message;
  EXPECT_EQ(report.outputs[0].ulp_max, 1);
}

TEST_F(Results, AWrongValueIsNamedWithItsInputs) {
  set(initial(1, "x"), 2 * kWidth + 17, 2);
  set(initial(1, "weight"), 17, 0.625);
  passes_[1].truths["y"].value[2 * kWidth + 17] = 1.25;
  set(passes_[1].expected.at("y"), 2 * kWidth + 17, 1.25);
  set(actual(1, "y"), 2 * kWidth + 17, 1.5);
  const ProofReport report = judge();
  EXPECT_EQ(report.outcome.status, Status::verification_failed);
  EXPECT_EQ(report.failed_check, "values");
  EXPECT_EQ(report.mismatch_count, 1);
  EXPECT_THAT(
      report.outcome.message,
      AllOf(HasSubstr("y[2, 17] is 1.5 (0x3fc0), the truth is 1.25: error 0.25, limit"),
            HasSubstr("; inputs (normal): x[2, 17] = 2, weight[17] = 0.625, acc[2, 17] =")));
  EXPECT_EQ(report.outputs[0].worst, report.outcome.message);
  EXPECT_EQ(report.outputs[0].worst_index, 2 * kWidth + 17);
  std::string map(kRows * (kWidth + 1), '.');
  for (std::int64_t row = 0; row < kRows; ++row) map[row * (kWidth + 1) + kWidth] = '\n';
  // The norm of its row breaks with it.
  map.replace(2 * (kWidth + 1), kWidth, kWidth, '#');
  EXPECT_EQ(report.mismatch_map, map);
}

TEST_F(Results, UnwrittenElementsAreNamedSoBeforeAnyValueIsJudged) {
  for (const int pass : {0, 1}) set_bits(actual(pass, "y"), 40, get_bits(initial(pass, "y"), 40));
  const ProofReport report = judge();
  EXPECT_EQ(report.outcome.status, Status::unwritten_output);
  EXPECT_EQ(report.failed_check, "poison");
  EXPECT_THAT(report.outcome.message, HasSubstr("y[1, 8] was not written"));
}

TEST_F(Results, PoisonIsNoResultWhereTheTruthIsNaN) {
  // 0xFFFF of the first pass has the class of its truth, and the second is within a wide bound.
  auto family = std::make_shared<Family>(*which_.geometry.family);
  family->tensors[2].accept.bound->factor = 1e9;
  family->tensors[2].accept.norms = Accept::Norms::none;
  which_.geometry.family = family;
  for (Pass& pass : passes_) {
    pass.truths["y"].value[3] = pass.poison == Poison::a ? std::nan("") : 2e16;
    set(pass.expected.at("y"), 3, pass.truths["y"].value[3]);
    set_bits(pass.actual.at("y"), 3, get_bits(pass.initial.at("y"), 3));
  }
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "poison") << report.outcome.message;
  EXPECT_EQ(report.mismatch_count, 1);
}

TEST_F(Results, UntouchedElementsStayToTheBit) {
  // Within every limit, but it had to stay.
  set_bits(actual(1, "acc"), 3 * kWidth, get_bits(actual(1, "acc"), 3 * kWidth) ^ 1);
  passes_[1].truths["acc"].magnitude[3 * kWidth] = 1e9;
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "untouched");
  EXPECT_THAT(report.outcome.message, HasSubstr("acc[3, 0] had to stay as it was but holds"));
}

TEST_F(Results, AnInoutElementThatWasNotUpdatedIsUnwritten) {
  for (const int pass : {0, 1}) set_bits(actual(pass, "acc"), 5, get_bits(initial(pass, "acc"), 5));
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "poison");
  EXPECT_THAT(report.outcome.message, HasSubstr("acc[0, 5] still holds its initial content"));
}

TEST_F(Results, ABrokenNormIsSaidWithItsRowAndInputs) {
  auto family = std::make_shared<Family>(*which_.geometry.family);
  family->tensors[2].accept.bound->factor = 1e9;  // sees nothing
  family->tensors[2].accept.norm_factor = 1e-9;
  which_.geometry.family = family;
  passes_[1].truths["y"].magnitude.assign(kRows * kWidth, 0);
  passes_[0].truths["y"].magnitude.assign(kRows * kWidth, 0);
  set(actual(1, "y"), kWidth, 1.001 * passes_[1].truths["y"].value[kWidth]);
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "norms");
  EXPECT_EQ(report.mismatch_count, 2 * kRows);  // more than are kept in words
  EXPECT_EQ(report.mismatches.size(), 8u);
  EXPECT_THAT(report.mismatches.back().text,
              AllOf(HasSubstr("y: row 3: relative L2 0.00"), HasSubstr("(inputs: normal)")));
}

TEST_F(Results, ASweepsCosineIsDemandedOnTop) {
  EXPECT_EQ(judge(0.9999).outcome.status, Status::ok);
  for (const int pass : {0, 1})
    for (std::int64_t i = 0; i < kRows * kWidth; ++i) {
      passes_[static_cast<std::size_t>(pass)].truths["y"].magnitude.assign(kRows * kWidth, 1e9);
      set(actual(pass, "y"), i, (i % 2 == 0 ? 1.1 : 0.9) * passes_[pass].truths["y"].value[i]);
    }
  EXPECT_EQ(judge().outcome.status, Status::ok);
  const ProofReport report = judge(0.9999);
  EXPECT_EQ(report.failed_check, "norms");
  EXPECT_THAT(report.outcome.message, HasSubstr("y: cosine 0.99"));
}

TEST_F(Results, WithoutATruthBytesAreCompared) {
  for (Pass& pass : passes_) pass.truths.clear();
  EXPECT_EQ(judge().outcome.status, Status::ok);
  set_bits(actual(0, "y"), 9, get_bits(actual(0, "y"), 9) ^ 1);
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "values");
  EXPECT_THAT(report.outcome.message, HasSubstr(", the reference has "));
}

TEST_F(Results, ExactOutputsKeepTheirWordsAndGetMetrics) {
  auto family = std::make_shared<Family>(*which_.geometry.family);
  for (TensorDecl& tensor : family->tensors) tensor.accept = Accept();
  which_.geometry.family = family;
  EXPECT_EQ(judge().outcome.status, Status::ok);
  EXPECT_EQ(judge().outputs[0].rule, "exact");
  EXPECT_EQ(judge().outputs[0].elements, 2 * kRows * kWidth);
  EXPECT_THAT(judge().outputs[0].worst, IsEmpty());
  set(actual(1, "y"), 9, get(actual(1, "y"), 9) + 1);
  const ProofReport report = judge();
  EXPECT_EQ(report.failed_check, "exact");
  EXPECT_THAT(report.outcome.message,
              AllOf(HasSubstr("y[0, 9] holds 0x"), HasSubstr(" instead of ")));
  EXPECT_EQ(report.outputs[0].worst_index, 9);
  EXPECT_NEAR(report.outputs[0].abs_error_max, 1, 0.02);
  EXPECT_THAT(report.mismatch_map, Not(IsEmpty()));
}

TEST(Limits, AreThoseOfTheCaseAndTheType) {
  Case which = mirror_case({.rows = 3, .width = 64});
  TensorDecl y = *which.geometry.family->find_tensor("y");
  EXPECT_TRUE(limits_of(which, y, 0.99).exact);
  EXPECT_EQ(limits_of(which, y, 0.99).text, "exact");

  y.accept.exact = false;
  y.accept.bound = AcceptBound{.terms = Expr::parse("width", {{"width", {}}}),
                               .growth = AcceptBound::Growth::sqrt,
                               .factor = 3};
  EXPECT_DOUBLE_EQ(limits_of(which, y).accumulated_roundoff, 3 * 8 * 0x1p-24);
  EXPECT_EQ(limits_of(which, y).text, "error <= u * |truth| + 3 * sqrt(64) * 2^-24 * S");
  y.accept.bound->growth = AcceptBound::Growth::linear;
  EXPECT_DOUBLE_EQ(limits_of(which, y).accumulated_roundoff, 3 * 64 * 0x1p-24);
  EXPECT_TRUE(limits_of(which, y).bound);
  EXPECT_EQ(limits_of(which, y).cosine_min, -1);

  y.accept.cosine = 0.99;
  EXPECT_EQ(limits_of(which, y, 0.5).cosine_min, 0.99);
  EXPECT_EQ(limits_of(which, y, 0.999).cosine_min, 0.999);

  y.accept.norms = Accept::Norms::head;
  y.shape = {Expr::constant(3), Expr::constant(4), Expr::constant(16)};
  which.row_strides["y"] = 64;
  EXPECT_EQ(limits_of(which, y).norm_block, 16);
  EXPECT_DOUBLE_EQ(limits_of(which, y).norm_limit, 4 * 0x1p-8 / std::sqrt(3.0));
  y.accept.norms = Accept::Norms::row;
  EXPECT_EQ(limits_of(which, y).norm_block, 64);

  // Of codes the bound is the width of the interval's ends.
  y.accept.code.emplace();
  EXPECT_TRUE(limits_of(which, y).code);
  EXPECT_FALSE(limits_of(which, y).bound);
  EXPECT_GT(limits_of(which, y).accumulated_roundoff, 0);
}

}  // namespace
}  // namespace fusetune::test
