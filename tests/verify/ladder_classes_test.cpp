// Infinities, NaN, zero, and truths that judge nothing: what is told before any rule, or beside
// them.

#include <gmock/gmock.h>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Ladder, ClassesComeBeforeEveryRule) {
  const double numbers[] = {kInfinity, -kInfinity, kNaN, 1.0, 3.3e38};
  for (const std::string& rule : kRules)
    for (const double truth : numbers)
      for (const double actual : numbers) {
        Judged judged(DType::bf16, 1, 1);
        judged.make([&](std::int64_t) { return truth; });
        set(judged.actual, 0, actual);
        const bool same = std::isnan(truth) ? std::isnan(actual) : truth == actual;
        const bool classes = (rule == "class" || rule == "cosine alone") && std::isfinite(truth) &&
                             std::isfinite(actual);
        EXPECT_EQ(judged.climb(only(rule, DType::bf16, 1)).passed(), same || classes)
            << rule << ": " << truth << ", " << actual;
      }
}

TEST(Ladder, InfinityClampedToTheLargestNumberIsWrong) {
  Judged judged = normal(DType::fp16, 4, 64);
  judged.make([&](std::int64_t i) { return i == 70 ? 1e6 : 0.5; });
  EXPECT_TRUE(std::isinf(get(judged.expected, 70)));
  set(judged.actual, 70, 65504);
  const LadderResult result = judged.climb(only("bound", DType::fp16, 64));
  ASSERT_EQ(result.mismatch_count, 1);
  EXPECT_EQ(result.mismatches[0].index, 70);
  EXPECT_THAT(result.mismatches[0].text,
              AllOf(HasSubstr("is 65504 (0x7bff)"), HasSubstr("the reference has inf")));
}

TEST(Ladder, NaNOfAnyPayloadIsANaN) {
  Judged judged = normal(DType::bf16, 4, 64);
  judged.make([&](std::int64_t i) { return i < 64 ? kNaN : 0.5; });
  for (std::int64_t i = 0; i < 64; ++i)
    set_bits(judged.actual, i, static_cast<std::uint64_t>(0xFF81 + i));
  EXPECT_EQ(finders(judged), std::set<std::string>{});
}

TEST(Ladder, OfAZeroTruthTheAbsoluteRuleHolds) {
  for (const std::string rule : {"bound", "norms"}) {
    Judged judged(DType::bf16, 1, 8);
    judged.make([](std::int64_t) { return 0.0; });
    EXPECT_TRUE(judged.climb(only(rule, DType::bf16, 8)).passed()) << rule;
    set(judged.actual, 3, 0x1p-133);  // the smallest number of the type
    EXPECT_TRUE(judged.climb(only(rule, DType::bf16, 8)).passed()) << rule;
    set(judged.actual, 3, 1e-30);
    EXPECT_FALSE(judged.climb(only(rule, DType::bf16, 8)).passed()) << rule;
  }
  Judged judged(DType::bf16, 1, 8);
  judged.make([](std::int64_t) { return 0.0; });
  EXPECT_TRUE(judged.climb(only("cosine", DType::bf16, 8)).passed());
  set(judged.actual, 3, 1e-30);
  EXPECT_FALSE(judged.climb(only("cosine", DType::bf16, 8)).passed());
}

TEST(Ladder, ATruthOfAnotherSizeIsNoTruth) {
  Judged judged = normal(DType::bf16, 4, 8);
  judged.truth.value.pop_back();
  EXPECT_THROW(judged.climb(only("bound", DType::bf16, 8)), std::runtime_error);
  judged = normal(DType::bf16, 4, 8);
  judged.truth.magnitude = {1, 2, 3};
  EXPECT_THROW(judged.climb(only("bound", DType::bf16, 8)), std::runtime_error);
}

TEST(Ladder, ATruthThatIsNoNumberJudgesNothingFinite) {
  Judged judged = normal(DType::bf16, 4, 8);
  judged.truth.value[5] = kNaN;
  for (const std::string& rule : kRules)
    EXPECT_EQ(judged.climb(only(rule, DType::bf16, 8)).mismatch_count, 1) << rule;
}

TEST(Ladder, WithoutATruthBytesAreCompared) {
  Judged judged = normal(DType::bf16, 4, 8);
  judged.truth.value.clear();
  EXPECT_TRUE(judged.climb(only("ulp 2", DType::bf16, 8)).passed());
  set_bits(judged.actual, 9, get_bits(judged.actual, 9) + 1);
  const LadderResult result = judged.climb(only("ulp 2", DType::bf16, 8));
  EXPECT_EQ(result.mismatch_count, 1);
  EXPECT_EQ(result.metrics.rule, "exact");
  EXPECT_TRUE(std::isinf(result.metrics.share_of_limit_max));
}

}  // namespace
}  // namespace fusetune::test
