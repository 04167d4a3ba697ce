// Every rung of the ladder finds what it is there for, also where the others see nothing; and none
// of them finds anything in a right kernel.

#include "harness/verify/ladder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

const std::set<std::string> kAll(kRules.begin(), kRules.end());

std::set<std::string> all_but(const std::set<std::string>& blind) {
  std::set<std::string> rules;
  std::set_difference(kAll.begin(), kAll.end(), blind.begin(), blind.end(),
                      std::inserter(rules, rules.end()));
  return rules;
}

TEST(Ladder, APerfectKernelBreaksNoRule) {
  for (const DType dtype : {DType::bf16, DType::fp16, DType::fp32, DType::e4m3fn, DType::e5m2fnuz})
    for (const double scale : {1.0, 1e-3, 100.0})
      EXPECT_EQ(finders(normal(dtype, 32, 256, scale)), std::set<std::string>{})
          << to_string(dtype) << " " << scale;
}

TEST(Ladder, PerfectRoundingOfDenormalsAndOfOneElementIsPerfect) {
  EXPECT_EQ(finders(normal(DType::bf16, 8, 64, 0x1p-132)), std::set<std::string>{});
  EXPECT_EQ(finders(normal(DType::fp16, 8, 64, 0x1p-24)), std::set<std::string>{});
  for (const double value : {1 + 0x1p-8, -1e-30, 0.0, 3e38}) {
    Judged one(DType::bf16, 1, 1);
    one.make([&](std::int64_t) { return value; });
    EXPECT_EQ(finders(one), std::set<std::string>{}) << value;
  }
}

struct Planted {
  const char* name;
  DType dtype;
  std::int64_t rows;
  std::function<void(Judged&)> plant;
  std::set<std::string> finders;
};

void zero_row(Judged& j, std::int64_t row) {
  for (std::int64_t i = 0; i < j.width(); ++i) set(j.actual, row * j.width() + i, 0);
}

std::vector<Planted> planted_errors() {
  // Which rules see an error. Those that do not are the reason for those that do.
  return {
      {"all scaled by 1.01", DType::bf16, 64,
       [](Judged& j) { j.plant([](double v) { return 1.01 * v; }); },
       all_but({"class", "cosine alone"})},
      // Too little for one step of a coarse type, but in every element.
      {"fp8 scaled by 1.01",
       DType::e4m3fn,
       64,
       [](Judged& j) { j.plant([](double v) { return 1.01 * v; }); },
       {"ulp 0", "bound", "cosine"}},
      {"all zeros", DType::bf16, 64, [](Judged& j) { j.plant([](double) { return 0; }); },
       all_but({"class"})},
      {"one row of 4096 zeroed", DType::bf16, 4096, [](Judged& j) { zero_row(j, 77); },
       all_but({"class", "cosine alone", "cosine"})},
      {"one row of 4096 garbage", DType::bf16, 4096,
       [](Judged& j) {
         for (std::int64_t i = 0; i < j.width(); ++i)
           set(j.actual, 99 * j.width() + i, -j.value_at(99 * j.width() + j.width() - 1 - i));
       },
       all_but({"class", "cosine alone", "cosine"})},
      {"two rows swapped", DType::bf16, 4096,
       [](Judged& j) {
         for (std::int64_t i = 0; i < j.width(); ++i) {
           set(j.actual, i, j.value_at(j.width() + i));
           set(j.actual, j.width() + i, j.value_at(i));
         }
       },
       all_but({"class", "cosine alone", "cosine"})},
      // err > tolerance is false of it.
      {"NaN in one element", DType::bf16, 64, [](Judged& j) { set(j.actual, 4711, kNaN); }, kAll},
      {"infinity in one element", DType::bf16, 64,
       [](Judged& j) { set(j.actual, 4711, kInfinity); }, kAll},
      {"truncated",
       DType::bf16,
       64,
       [](Judged& j) { j.plant([](double v) { return truncated(DType::bf16, v); }); },
       {"ulp 0", "ulp 1", "ulp 2", "bound", "cosine"}},
      {"truncated fp16",
       DType::fp16,
       64,
       [](Judged& j) { j.plant([](double v) { return truncated(DType::fp16, v); }); },
       {"ulp 0", "ulp 1", "ulp 2", "bound"}},
      {"rounded down",
       DType::fp16,
       64,
       [](Judged& j) {
         j.plant([](double v) {
           const double low = truncated(DType::fp16, v);
           return low <= v ? low : low - ulp_at(DType::fp16, v);
         });
       },
       {"ulp 0", "ulp 1", "ulp 2", "bound"}},
      {"one element one step off",
       DType::bf16,
       64,
       [](Judged& j) { set_bits(j.actual, 99, get_bits(j.actual, 99) + 1); },
       {"ulp 0", "bound"}},
      {"every element one step off, up and down",
       DType::fp16,
       64,
       [](Judged& j) {
         for (std::int64_t i = 0; i < j.elements(); ++i)
           set_bits(j.actual, i, get_bits(j.actual, i) + (i % 2 == 0 ? 1 : -1));
       },
       {"ulp 0", "bound", "tight norms"}},
      {"rounded twice, to bf16 in between",
       DType::bf16,
       64,
       [](Judged& j) {
         j.plant([](double v) { return decode(DType::bf16, encode(DType::bf16, v / 1.7)) * 1.7; });
       },
       {"ulp 0", "bound"}},
  };
}

TEST(Ladder, PlantedErrorsAreFoundByTheRulesThatCanSeeThem) {
  for (const Planted& planted : planted_errors()) {
    Judged judged = normal(planted.dtype, planted.rows, planted.rows > 64 ? 32 : 128);
    ASSERT_EQ(finders(judged), std::set<std::string>{}) << planted.name;
    planted.plant(judged);
    EXPECT_EQ(finders(judged), planted.finders) << planted.name;
  }
}

TEST(Ladder, AGarbageRowHidesInTheGlobalNorm) {
  Judged judged = normal(DType::bf16, 4096, 32);
  zero_row(judged, 77);
  const LadderResult result = judged.climb(only("norms", DType::bf16, 32));
  EXPECT_LT(result.metrics.relative_l2 * result.metrics.relative_l2, 5e-4);
  EXPECT_GT(result.metrics.cosine, 0.999);
  EXPECT_NEAR(result.metrics.norm_ratio, 1, 1e-3);
  EXPECT_EQ(result.broken_rule_count, 1);
  EXPECT_THAT(result.broken_rules.front(), HasSubstr("row 77: relative L2 1, limit 0.00"));
  ASSERT_EQ(result.broken_blocks.size(), 1u);
  EXPECT_EQ(result.broken_blocks[0].begin, 77 * 32);
  EXPECT_EQ(result.rules_over_blocks, 4096);
}

TEST(Ladder, AHeadIsABlockOfItsOwn) {
  Judged judged = normal(DType::bf16, 4, 128);
  for (std::int64_t i = 32; i < 48; ++i) set(judged.actual, i, 0);
  EXPECT_EQ(judged.climb(only("norms", DType::bf16, 16)).broken_rules.size(), 1u);
  EXPECT_THAT(judged.climb(only("norms", DType::bf16, 16)).broken_rules.front(),
              HasSubstr("block 2: "));
}

TEST(Ladder, NormFloorsAreThoseOfRoundedNormalNumbers) {
  // A perfect kernel comes near the floor and stays below it.
  for (const DType dtype : {DType::bf16, DType::fp16, DType::e4m3fn, DType::e5m2}) {
    const double error =
        normal(dtype, 64, 128).climb(only("norms", dtype, 128)).metrics.relative_l2;
    EXPECT_LT(error, norm_floor(dtype)) << to_string(dtype);
    EXPECT_GT(error, 0.6 * norm_floor(dtype)) << to_string(dtype);
  }
}

}  // namespace
}  // namespace fusetune::test
