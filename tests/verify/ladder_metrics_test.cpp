// What a climb measures and keeps.

#include <gmock/gmock.h>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

TEST(Ladder, MetricsAreThoseOfTheWorstElement) {
  Judged judged(DType::bf16, 2, 4);
  judged.make([](std::int64_t) { return 1.25; });
  set(judged.actual, 6, 1.5);
  set(judged.actual, 7, std::nextafter(1.25f, 2.f));
  const LadderResult result = judged.climb(only("ulp 1", DType::bf16, 4));
  EXPECT_EQ(result.metrics.elements, 8);
  EXPECT_EQ(result.metrics.abs_error_max, 0.25);
  EXPECT_EQ(result.metrics.rel_error_max, 0.2);
  EXPECT_EQ(result.metrics.ulp_max, 32);
  EXPECT_EQ(result.metrics.worst_index, 6);
  EXPECT_EQ(result.metrics.share_of_limit_max, 32);
  EXPECT_DOUBLE_EQ(result.metrics.relative_l2, 0.25 / (1.25 * std::sqrt(8.0)));
  EXPECT_EQ(result.worst_text, "is 1.5 (0x3fc0), the truth is 1.25: 32 ulp, limit 1");
  ASSERT_EQ(result.mismatches.size(), 1u);
  EXPECT_EQ(result.mismatches[0].text, result.worst_text);
  EXPECT_EQ(result.wrong,
            (std::vector<bool>{false, false, false, false, false, false, true, false}));
}

TEST(Ladder, MetricsOfTheWholeAreOfAllBlocksAndOfWhatIsLeftOfOne) {
  Judged judged(DType::bf16, 2, 4);
  judged.make([](std::int64_t) { return 1.25; });
  set(judged.actual, 7, 1.5);  // of blocks of three in none
  Limits limits = only("class", DType::bf16, 4);
  for (const std::int64_t block : {0, 3, 4, 16}) {
    limits.norm_block = block;
    EXPECT_DOUBLE_EQ(judged.climb(limits).metrics.relative_l2, 0.25 / (1.25 * std::sqrt(8.0)))
        << block;
  }
}

TEST(Ladder, OnlyEightMismatchesAreKeptAndAllAreCounted) {
  Judged judged = normal(DType::bf16, 64, 8);
  judged.plant([](double) { return 0; });
  Limits limits = only("bound", DType::bf16, 8);
  limits.norm_block = 8;
  const LadderResult result = judged.climb(limits);
  EXPECT_EQ(result.mismatch_count, 512);
  EXPECT_EQ(result.mismatches.size(), 8u);
  EXPECT_EQ(result.broken_rule_count, 64);
  EXPECT_EQ(result.broken_rules.size(), 8u);
}

}  // namespace
}  // namespace fusetune::test
