// Quantised outputs: the interval of a code, ties, and how many codes may differ from the
// reference's own.

#include <gmock/gmock.h>

#include "tests/verify/ladder_fixture.hpp"

namespace fusetune::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<DType> kFp8{DType::e4m3fn, DType::e4m3fnuz, DType::e5m2, DType::e5m2fnuz};

Limits code(double accumulated_roundoff = 0) {
  Limits limits;
  limits.exact = false;
  limits.code = true;
  limits.accumulated_roundoff = accumulated_roundoff;
  return limits;
}

/// Half away from zero in place of half to even.
double half_away(DType dtype, double value) {
  const double nearest = decode(dtype, encode(dtype, value, Overflow::saturate));
  const double up = decode(dtype, encode(dtype, value * (1 + 0x1p-40), Overflow::saturate));
  return std::fabs(up) > std::fabs(nearest) ? up : nearest;
}

/// Every value between two codes, twice with either sign.
Judged ties(DType dtype) {
  const auto codes = static_cast<std::int64_t>(encode(dtype, 1e9, Overflow::saturate));
  Judged judged(dtype, 4, codes);
  judged.make([&](std::int64_t i) {
    const auto bits = static_cast<std::uint64_t>(i % codes);
    const double tie = (decode(dtype, bits) + decode(dtype, bits + 1)) / 2;
    return i / codes % 2 == 0 ? tie : -tie;
  });
  return judged;
}

TEST(CodeRules, PerfectRoundingIsRight) {
  for (const DType dtype : kFp8) {
    EXPECT_TRUE(normal(dtype, 64, 128, 50).climb(code()).passed()) << to_string(dtype);
    EXPECT_TRUE(ties(dtype).climb(code()).passed()) << to_string(dtype);
  }
}

TEST(CodeRules, TruncationFailsOnRandomDataAndOnTies) {
  for (const DType dtype : kFp8) {
    for (Judged judged : {normal(dtype, 64, 128, 20), ties(dtype)}) {
      judged.plant([&](double v) { return truncated(dtype, v); });
      EXPECT_FALSE(judged.climb(code()).passed()) << to_string(dtype);
      // Whatever the reference declares of its errors.
      EXPECT_FALSE(judged.climb(code(4 * std::sqrt(5120) * 0x1p-24)).passed()) << to_string(dtype);
    }
  }
}

TEST(CodeRules, HalfAwayFromZeroFailsOnTies) {
  for (const DType dtype : kFp8) {
    Judged judged = ties(dtype);
    judged.plant([&](double v) { return half_away(dtype, v); });
    const LadderResult result = judged.climb(code());
    EXPECT_GT(result.mismatch_count, judged.elements() / 3) << to_string(dtype);
    EXPECT_EQ(result.broken_rule_count, 1) << to_string(dtype);
    EXPECT_THAT(result.mismatches[0].text, HasSubstr("a tie goes to even, to"));
    EXPECT_THAT(result.broken_rules[0], HasSubstr("codes are not the reference's own, at most"));
    // With errors before the rounding each tie may go either way, but not all of them wrong.
    const LadderResult rounded = judged.climb(code(4 * 0x1p-24));
    EXPECT_EQ(rounded.mismatch_count, 0) << to_string(dtype);
    EXPECT_EQ(rounded.broken_rule_count, 1) << to_string(dtype);
  }
}

/// Groups of 32 values with a scale each; the kernel multiplies by 1 / scale in fp32.
struct Grouped {
  Judged codes;
  TensorImage scales;
  std::vector<double> values;

  Grouped(std::int64_t rows, std::int64_t width, const std::function<double(std::int64_t)>& scale,
          std::uint64_t seed = 5)
      : codes(DType::e4m3fn, rows, width), scales(image_of(DType::fp32, {rows, width / 32})) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(0, 60);
    for (std::int64_t i = 0; i < rows * width; ++i) {
      set(scales, i / 32, scale(i / 32));
      const double value = normal(random) * scale(i / 32);
      values.push_back(decode(DType::bf16, encode(DType::bf16, value)));
    }
    codes.make(
        [&](std::int64_t i) { return values[static_cast<std::size_t>(i)] / get(scales, i / 32); });
  }
  void quantise(const std::function<double(double, float)>& divided, std::int64_t shift = 0) {
    for (std::int64_t i = 0; i < codes.elements(); ++i) {
      const auto groups = scales.shape.elements();
      const auto scale = static_cast<float>(get(scales, (i / 32 + shift) % groups));
      set(codes.actual, i, divided(values[static_cast<std::size_t>(i)], scale));
    }
  }
  LadderResult climb() const { return codes.climb(code(), &scales); }
};

double by_reciprocal(double value, float scale) {
  return static_cast<float>(value) * (1.0f / scale);
}

TEST(CodeRules, ReciprocalsAreRightWhereScalesRound) {
  // Multiples of 7 come to lie on ties, and the product with the reciprocal beside most of them.
  Grouped grouped(64, 1024, [](std::int64_t group) { return std::ldexp(7, -int(group % 5)); });
  grouped.quantise(by_reciprocal);
  const LadderResult result = grouped.climb();
  EXPECT_TRUE(result.passed()) << result.mismatch_count << " "
                               << (result.broken_rules.empty() ? "" : result.broken_rules[0]);
  EXPECT_GT(result.metrics.codes_off, 20) << "the data has no ties";
}

TEST(CodeRules, TiesGoToEvenWhereScalesArePowersOfTwo) {
  Grouped grouped(64, 256, [](std::int64_t group) { return std::ldexp(1, int(group % 7) - 9); });
  grouped.quantise(by_reciprocal);
  EXPECT_TRUE(grouped.climb().passed());
  EXPECT_EQ(grouped.climb().metrics.codes_off, 0);
  grouped.quantise([](double value, float scale) {
    return half_away(DType::e4m3fn, by_reciprocal(value, scale));
  });
  EXPECT_GT(grouped.climb().mismatch_count, 20);
}

TEST(CodeRules, TheScaleOfAnotherGroupIsFound) {
  Grouped grouped(16, 256, [](std::int64_t group) { return 0.01 * double(1 + group % 3); });
  grouped.quantise(by_reciprocal);
  EXPECT_TRUE(grouped.climb().passed());
  grouped.quantise(by_reciprocal, 1);
  EXPECT_GT(grouped.climb().mismatch_count, grouped.codes.elements() / 2);
}

TEST(CodeRules, RoundingToBf16BeforeTheCodeIsFound) {
  Judged judged = normal(DType::e4m3fn, 64, 128, 50);
  judged.plant([](double v) { return decode(DType::bf16, encode(DType::bf16, v)); });
  EXPECT_FALSE(judged.climb(code(4 * std::sqrt(128) * 0x1p-24)).passed());
}

TEST(CodeRules, SaturationIsRightAndNaNForItIsNot) {
  for (const DType dtype : kFp8) {
    const double largest = float_format(dtype).max;
    Judged judged(dtype, 1, 4);
    judged.make(
        [&](std::int64_t i) { return (i % 2 == 0 ? 1 : -1) * largest * (i < 2 ? 1.5 : 1e6); });
    EXPECT_TRUE(judged.climb(code()).passed()) << to_string(dtype);
    for (const std::int64_t i : {0, 3}) {
      Judged wrong = judged;
      set_bits(wrong.actual, i, encode(dtype, wrong.value_at(i), Overflow::special));
      EXPECT_EQ(wrong.climb(code()).mismatch_count, 1) << to_string(dtype);
      wrong = judged;
      set_bits(wrong.actual, i, get_bits(wrong.actual, i) - 1);
      EXPECT_EQ(wrong.climb(code()).mismatch_count, 1) << to_string(dtype);
    }
  }
}

TEST(CodeRules, MinusZeroOfFnuzIsNaN) {
  Judged judged(DType::e4m3fnuz, 1, 4);
  judged.make([](std::int64_t) { return -1e-9; });
  EXPECT_TRUE(judged.climb(code()).passed());
  set_bits(judged.actual, 2, 0x80);
  EXPECT_THAT(judged.climb(code()).mismatches.at(0).text,
              AllOf(HasSubstr("is nan (0x80)"), HasSubstr("the reference has 0")));
}

TEST(CodeRules, BlockScalesRoundUpToPowersOfTwo) {
  Judged judged(DType::e8m0, 1, 300);
  judged.make([](std::int64_t i) { return 0.37 + 0.01 * double(i); });
  EXPECT_TRUE(judged.climb(code()).passed());
  for (std::int64_t i = 0; i < judged.elements(); ++i)  // to nearest
    set(judged.actual, i, std::exp2(std::round(std::log2(judged.value_at(i)))));
  EXPECT_GT(judged.climb(code()).mismatch_count, 50);
}

}  // namespace
}  // namespace fusetune::test
