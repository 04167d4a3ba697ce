// The references' own conversions against values worked out by hand.
#include "reference/numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rows.hpp"

namespace fusetune::reference::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Numbers, SixteenBitsRoundOnceAndToEven) {
  EXPECT_EQ(rounded("bf16", 257.0), 256.0);  // between 256 and 258
  EXPECT_EQ(rounded("bf16", 259.0), 260.0);
  EXPECT_EQ(rounded("bf16", 257.0 + 1e-12), 258.0) << "by way of fp32 this would be a tie";
  EXPECT_EQ(rounded("bf16", -257.0 - 1e-12), -258.0);
  EXPECT_EQ(rounded("fp16", 2049.0), 2048.0);
  EXPECT_EQ(rounded("fp16", 2049.0 + 1e-9), 2050.0);
  EXPECT_EQ(rounded("fp16", 65519.0), 65504.0);
  EXPECT_EQ(rounded("fp16", 65520.0), kInf);
  EXPECT_EQ(rounded("fp16", 0x1p-25), 0.0);
  EXPECT_EQ(rounded("fp16", 0x1.000001p-25), 0x1p-24);
  EXPECT_EQ(rounded("bf16", 1e300), kInf);
  EXPECT_EQ(rounded("bf16", -kInf), -kInf);
  EXPECT_EQ(rounded("bf16", 0x1.8p-133), 0x1p-132) << "denormals are not flushed";
  EXPECT_TRUE(std::isnan(rounded("bf16", kNan)));
  EXPECT_TRUE(std::isnan(rounded("fp16", kNan)));
  EXPECT_EQ(rounded("fp32", 1.0 + 0x1p-24), 1.0);
}

TEST(Numbers, EightBitsAreTheNearestCodeAndSaturate) {
  EXPECT_EQ(rounded("e4m3fn", 1.0625), 1.0);  // between 1 and 1.125
  EXPECT_EQ(rounded("e4m3fn", 1.1875), 1.25);
  EXPECT_EQ(rounded("e4m3fn", 1e9), 448.0);
  EXPECT_EQ(rounded("e4m3fn", -kInf), -448.0);
  EXPECT_EQ(rounded("e4m3fn", 0x1p-10), 0.0);
  EXPECT_EQ(rounded("e4m3fn", 0x1.01p-10), 0x1p-9);
  EXPECT_TRUE(std::isnan(rounded("e4m3fn", kNan)));
  EXPECT_EQ(rounded("e4m3fnuz", 300.0), 240.0);
  EXPECT_EQ(rounded("e4m3fnuz", 0x1.01p-11), 0x1p-10);
  EXPECT_FALSE(std::signbit(rounded("e4m3fnuz", -0.0))) << "fnuz types have no -0";
  EXPECT_TRUE(std::signbit(rounded("e4m3fn", -0.0)));
  EXPECT_TRUE(std::isnan(rounded("e4m3fnuz", kNan)));
  EXPECT_EQ(rounded("e5m2", 1.125), 1.0);
  EXPECT_EQ(rounded("e5m2", 1e9), 57344.0);
  EXPECT_EQ(rounded("e5m2fnuz", 1e9), 57344.0);
  EXPECT_EQ(largest("e4m3fn"), 448.0);
  EXPECT_EQ(largest("e4m3fnuz"), 240.0);
}

TEST(Numbers, BlockScalesRoundUpToPowersOfTwo) {
  EXPECT_EQ(rounded("e8m0", 1.0), 1.0);
  EXPECT_EQ(rounded("e8m0", 1.0 + 1e-15), 2.0);
  EXPECT_EQ(rounded("e8m0", 0.0), 0x1p-127);
  EXPECT_EQ(rounded("e8m0", 1e300), 0x1p127);
}

TEST(Numbers, RowPaddingIsLeftAlone) {
  Rows rows;
  rows.input("x", "bf16", {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor& x = rows.problem().tensor("x");
  EXPECT_EQ(rows.values("x"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(static_cast<int>(x.data[3 * 2]), 0x5a);
  EXPECT_EQ(static_cast<int>(x.data[7 * 2 + 1]), 0x5a);
  EXPECT_THROW(rounded("i32", 1.0), std::invalid_argument);
}

}  // namespace
}  // namespace fusetune::reference::testing
