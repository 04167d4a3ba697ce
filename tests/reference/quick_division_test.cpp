// What GPUs divide by a scale with (kernels/common/ft_floats.h), on this machine's numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace fusetune {
namespace {

using ft_u8 = unsigned char;
using ft_u16 = unsigned short;
using ft_u32 = unsigned int;
using ft_i64 = long long;
#define FT_DEVICE [[maybe_unused]] static inline
#include "kernels/common/ft_floats.h"

float number(std::uint32_t bits) { return ft_bf16_to_f32(static_cast<ft_u16>(bits)); }

std::vector<float> scales() {
  std::vector<float> all;
  for (int exponent = -60; exponent < 60; exponent += 3)
    for (const float significand : {1.0F, 1.0F + 0x1p-23F, 1.1F, 1.4142135F, 1.7F, 2.0F - 0x1p-22F})
      all.push_back(std::ldexp(significand, exponent));
  return all;
}

template <class Code>
int differences(float (*divide)(float, float)) {
  int count = 0;
  for (const float scale : scales())
    for (std::uint32_t bits = 0; bits < 0x10000; bits += 7) {
      const float value = number(bits);
      count +=
          ft_from_f32<Code>(divide(value, scale)).bits != ft_from_f32<Code>(value / scale).bits;
    }
  return count;
}

float quick(float value, float scale) { return ft_divide_by(value, scale, 1.0F / scale); }
float by_inverse(float value, float scale) { return value * (1.0F / scale); }

TEST(QuickDivision, GivesTheCodesOfADivision) {
  EXPECT_EQ(differences<ft_e4m3fn>(quick), 0);
  EXPECT_EQ(differences<ft_e4m3fnuz>(quick), 0);
}

TEST(QuickDivision, RoundsAsADivisionDoes) {
  for (const float scale : scales())
    for (std::uint32_t bits = 0; bits < 0x7f80; bits += 11) {
      const float quotient = number(bits) / scale;
      if (quotient < 0x1p-11F || std::isinf(quotient)) continue;
      ASSERT_EQ(quick(number(bits), scale), quotient) << number(bits) << " / " << scale;
    }
}

// So that the test above has something to find.
TEST(QuickDivision, AnInverseAloneRoundsOtherwise) {
  EXPECT_GT(differences<ft_e4m3fn>(by_inverse), 0);
}

TEST(QuickDivision, ZerosInfinitiesAndNansStay) {
  EXPECT_TRUE(std::signbit(quick(-0.0F, 3.0F)));
  EXPECT_FALSE(std::signbit(quick(0.0F, 3.0F)));
  EXPECT_EQ(quick(INFINITY, 3.0F), INFINITY);
  EXPECT_EQ(quick(-INFINITY, 3.0F), -INFINITY);
  EXPECT_EQ(quick(0x1p127F, 0x1p-60F), INFINITY);
  EXPECT_TRUE(std::isnan(quick(NAN, 3.0F)));
}

}  // namespace
}  // namespace fusetune
