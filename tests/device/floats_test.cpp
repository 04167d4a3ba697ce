// The 16-bit float conversions of ft.h against arithmetic in double.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "support.hpp"

namespace fusetune::testing {
namespace {

struct Format {
  const char* name;
  int exponent_bits;
  int fraction_bits;
};
constexpr Format kBf16{"bf16", 8, 7}, kFp16{"fp16", 5, 10};

/// The value of a pattern, from the definition of the format.
double decode(std::uint16_t bits, const Format& format) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int fraction = bits & ((1 << format.fraction_bits) - 1);
  const int exponent = bits >> format.fraction_bits & ((1 << format.exponent_bits) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1)
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - format.fraction_bits);
  return sign *
         std::ldexp(fraction + (1 << format.fraction_bits), exponent - bias - format.fraction_bits);
}

/// Nearest representable magnitude, ties to even patterns. Patterns of positive values ascend.
std::uint16_t encode(double value, const Format& format) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(value);
  const int infinity = ((1 << format.exponent_bits) - 1) << format.fraction_bits;
  int low = 0, high = infinity;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (decode(static_cast<std::uint16_t>(middle), format) <= magnitude ? low : high) = middle;
  }
  // Beyond the largest value the next one would be, were there an exponent more.
  const double below = decode(static_cast<std::uint16_t>(low), format);
  const double above =
      high == infinity
          ? 2 * decode(static_cast<std::uint16_t>(infinity - (1 << format.fraction_bits)), format)
          : decode(static_cast<std::uint16_t>(high), format);
  const double down = magnitude - below, up = above - magnitude;
  const int nearest = down < up || (down == up && low % 2 == 0) ? low : high;
  return static_cast<std::uint16_t>(sign | nearest);
}

class Floats : public ::testing::TestWithParam<Format> {
 protected:
  static std::string source() {
    const std::string name = GetParam().name;
    return R"(#include "ft.h"
FT_KERNEL(256) void widen(const ft_u16* in, float* out, ft_i64 n) {
  const ft_i64 i = blockIdx.x * 256ll + threadIdx.x;
  if (i < n) out[i] = ft_)" +
           name + R"(_to_f32(in[i]);
}
FT_KERNEL(256) void narrow(const float* in, ft_u16* out, ft_i64 n) {
  const ft_i64 i = blockIdx.x * 256ll + threadIdx.x;
  if (i < n) out[i] = ft_f32_to_)" +
           name + R"((in[i]);
}
)";
  }
  std::vector<float> widened(const std::vector<std::uint16_t>& bits) {
    const auto in = bench_.upload(bits), out = bench_.allocate(bits.size() * 4);
    run("widen", in, out, bits.size());
    return bench_.download<float>(out, bits.size());
  }
  std::vector<std::uint16_t> narrowed(const std::vector<float>& values) {
    const auto in = bench_.upload(values), out = bench_.allocate(values.size() * 2);
    run("narrow", in, out, values.size());
    return bench_.download<std::uint16_t>(out, values.size());
  }
  void SetUp() override { bench_.build(source(), {"widen", "narrow"}); }

 private:
  void run(const char* entry, DevicePointer in, DevicePointer out, std::size_t count) {
    const auto n = static_cast<std::int64_t>(count);
    const Outcome outcome =
        bench_.launch({entry, {(n + 255) / 256, 1, 1}, {256, 1, 1}, 0, {in, out, n}});
    ASSERT_TRUE(outcome.ok()) << outcome.message;
  }
  Bench bench_;
};
INSTANTIATE_TEST_SUITE_P(Host, Floats, ::testing::Values(kBf16, kFp16),
                         [](const auto& test) { return test.param.name; });

TEST_P(Floats, AllPatternsWidenExactlyAndComeBack) {
  std::vector<std::uint16_t> bits(65536);
  for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
  const std::vector<float> values = widened(bits);
  const std::vector<std::uint16_t> back = narrowed(values);
  const int quiet = 1 << (GetParam().fraction_bits - 1);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const double expected = decode(bits[i], GetParam());
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i])) << i;
      ASSERT_EQ(back[i], bits[i] | quiet) << "a NaN keeps its payload and turns quiet";
    } else {
      ASSERT_EQ(values[i], expected) << i;
      ASSERT_EQ(std::signbit(values[i]), std::signbit(expected)) << i;
      ASSERT_EQ(back[i], bits[i]);
    }
  }
}

TEST_P(Floats, NarrowingRoundsToNearestEven) {
  std::vector<float> values;
  // Around every representable value and every tie between two of them.
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const double here = decode(static_cast<std::uint16_t>(i), GetParam());
    const double next = decode(static_cast<std::uint16_t>(i + 1), GetParam());
    if (!std::isfinite(here) || !std::isfinite(next)) continue;
    const auto tie = static_cast<float>((here + next) / 2);
    for (const float value : {tie, std::nextafter(tie, 0.0f), std::nextafter(tie, INFINITY * tie)})
      values.push_back(value);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isnan(value)) values.push_back(value);
  }
  for (const float value : {65504.0f, 65519.0f, 65520.0f, 65536.0f, 3.4e38f, INFINITY, -INFINITY})
    values.push_back(value);
  const std::vector<std::uint16_t> bits = narrowed(values);
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(bits[i], encode(values[i], GetParam())) << values[i];
}

TEST_P(Floats, EveryNanStaysANan) {
  std::vector<float> values;
  for (std::uint32_t payload = 1; payload < 0x800000; payload += payload < 70000 ? 1 : 4099)
    for (const std::uint32_t sign : {0u, 0x80000000u})
      values.push_back(std::bit_cast<float>(sign | 0x7f800000u | payload));
  const std::vector<std::uint16_t> bits = narrowed(values);
  for (std::size_t i = 0; i < bits.size(); ++i)
    ASSERT_TRUE(std::isnan(decode(bits[i], GetParam()))) << i;
}

}  // namespace
}  // namespace fusetune::testing
