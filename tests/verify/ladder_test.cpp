// Every rung of the ladder finds what it is there for, also where the others see nothing; and none
// of them finds anything in a right kernel.

#include "harness/verify/ladder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Every rule alone, as a family would declare it. "class" has no rule at all.
Limits only(const std::string& rule, DType dtype, std::int64_t width, double terms = 1) {
  Limits limits;
  limits.exact = false;
  if (rule == "ulp 0") limits.ulp = 0;
  if (rule == "ulp 1") limits.ulp = 1;
  if (rule == "ulp 2") limits.ulp = 2;
  if (rule == "bound") {
    limits.bound = true;
    limits.accumulated_roundoff = 4 * std::sqrt(terms) * 0x1p-24;
  }
  if (rule == "norms") {
    limits.norm_block = width;
    limits.norm_limit = 4 * norm_floor(dtype);
  }
  if (rule == "tight norms") {
    limits.norm_block = width;
    limits.norm_limit = 2 * norm_floor(dtype);
  }
  if (rule == "cosine alone" || rule == "cosine") limits.cosine_min = 0.999;
  limits.norm_ratio = rule == "cosine" ? 1e-3 : kInfinity;
  if (rule == "code") limits.code = true;
  return limits;
}

const std::vector<std::string> kRules{"class",       "ulp 0",        "ulp 1",  "ulp 2", "bound",
                                      "tight norms", "cosine alone", "cosine", "norms"};

std::set<std::string> finders(const Judged& judged) {
  std::set<std::string> found;
  for (const std::string& rule : kRules)
    if (!judged.climb(only(rule, judged.actual.shape.dtype, judged.width())).passed())
      found.insert(rule);
  return found;
}

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

/// Dot products of K terms, accumulated as `add` does it.
template <typename Add>
Judged dot_products(DType out, int terms, const Add& add) {
  Judged judged(out, 4, 16);
  std::mt19937_64 random(3);
  std::normal_distribution<double> values;
  std::vector<double> sums;
  judged.truth.magnitude.assign(static_cast<std::size_t>(judged.elements()), 0);
  judged.make([&](std::int64_t i) {
    if (static_cast<std::size_t>(i) < sums.size()) return judged.value_at(i);
    double truth = 0, sum = 0;
    for (int k = 0; k < terms; ++k) {
      const double a = decode(DType::bf16, encode(DType::bf16, values(random)));
      const double b = decode(DType::bf16, encode(DType::bf16, values(random)));
      truth += a * b;
      judged.truth.magnitude[static_cast<std::size_t>(i)] += std::fabs(a * b);
      sum = add(sum, a * b);
    }
    sums.push_back(sum);
    return truth;
  });
  for (std::int64_t i = 0; i < judged.elements(); ++i)
    set(judged.actual, i, sums[static_cast<std::size_t>(i)]);
  return judged;
}

TEST(Ladder, AccumulationInBf16BreaksTheBoundAndInFp32DoesNot) {
  const auto in_fp32 = [](double sum, double term) {
    return static_cast<double>(static_cast<float>(sum) + static_cast<float>(term));
  };
  const auto in_bf16 = [](double sum, double term) {
    return decode(DType::bf16, encode(DType::bf16, sum + term));
  };
  for (const DType out : {DType::bf16, DType::fp32}) {
    const Limits limits = only("bound", out, 16, 5120);
    const LadderResult right = dot_products(out, 5120, in_fp32).climb(limits);
    EXPECT_TRUE(right.passed()) << right.metrics.share_of_limit_max;
    EXPECT_GT(right.metrics.share_of_limit_max, out == DType::bf16 ? 0.5 : 0.001);
    const LadderResult wrong = dot_products(out, 5120, in_bf16).climb(limits);
    EXPECT_GT(wrong.mismatch_count, 50);
  }
}

TEST(Ladder, TheBoundKnowsCancellation) {
  // 1e4 - 1e4 + 1e-3: the result is small, its error is that of its terms.
  Judged judged(DType::fp32, 1, 1);
  judged.make([](std::int64_t) { return 1e-3; });
  judged.truth.magnitude = {2e4};
  set(judged.actual, 0, 1e-3 + 1e-3);
  EXPECT_TRUE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  set(judged.actual, 0, 1e-3 + 1e-2);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  judged.truth.magnitude = {1e-3};
  set(judged.actual, 0, 1e-3 + 1e-5);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
  // No limit at all is none that anything meets.
  judged.truth.magnitude = {kInfinity};
  set(judged.actual, 0, 1e-3);
  EXPECT_FALSE(judged.climb(only("bound", DType::fp32, 1, 3)).passed());
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

TEST(Ladder, NormFloorsAreThoseOfRoundedNormalNumbers) {
  // A perfect kernel comes near the floor and stays below it.
  for (const DType dtype : {DType::bf16, DType::fp16, DType::e4m3fn, DType::e5m2}) {
    const double error =
        normal(dtype, 64, 128).climb(only("norms", dtype, 128)).metrics.relative_l2;
    EXPECT_LT(error, norm_floor(dtype)) << to_string(dtype);
    EXPECT_GT(error, 0.6 * norm_floor(dtype)) << to_string(dtype);
  }
}

TEST(MismatchMap, ShowsWhichTilesAreWrong) {
  std::vector<bool> wrong(12, false);
  wrong[5] = wrong[11] = true;
  EXPECT_EQ(mismatch_map(wrong, 4), "....\n.#..\n...#\n");
  EXPECT_EQ(mismatch_map({}, 4), "");

  std::vector<bool> large(100 * 1000, false);
  large[99 * 1000 + 999] = true;  // rows in tiles of 7, columns of 16
  const std::string map = mismatch_map(large, 1000);
  EXPECT_EQ(std::count(map.begin(), map.end(), '\n'), 15);
  EXPECT_EQ(map.find('\n'), 63u);
  EXPECT_EQ(map.find('#'), map.size() - 2);
  EXPECT_EQ(std::count(map.begin(), map.end(), '#'), 1);
}

}  // namespace
}  // namespace fusetune::test
