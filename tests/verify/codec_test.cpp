// Casts against those of torch, and against the definition of each format.

#include "harness/verify/codec.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>

#include "harness/verify/safetensors.hpp"

namespace fusetune::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

const std::vector<DType> kFp8{DType::e4m3fn, DType::e4m3fnuz, DType::e5m2, DType::e5m2fnuz};

/// Every type with a sign and a fraction that can be gone through in a blink.
const std::vector<DType> kSmall{DType::bf16,     DType::fp16, DType::e4m3fn,
                                DType::e4m3fnuz, DType::e5m2, DType::e5m2fnuz};

std::uint64_t patterns(DType dtype) { return std::uint64_t{1} << (8 * size_bytes(dtype)); }

template <typename T>
std::vector<T> values_of(const StoredTensor& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

class Casts : public ::testing::Test {
 protected:
  static const SafetensorsFile& file() {
    static const SafetensorsFile casts =
        read_safetensors(std::filesystem::path(FUSETUNE_TESTS_DIR) / "golden/casts.safetensors");
    return casts;
  }
  template <typename T>
  static std::vector<T> golden(const std::string& prefix, DType dtype, const std::string& name) {
    return values_of<T>(
        file().tensors.at(prefix + "_float8_" + std::string(to_string(dtype)) + "/" + name));
  }
};

TEST_F(Casts, EveryBf16PatternGivesTheFp8CodeThatTorchGives) {
  for (const DType dtype : kFp8) {
    const auto raw = golden<std::uint8_t>("cast", dtype, "raw");
    const auto clamped = golden<std::uint8_t>("cast", dtype, "clamped");
    ASSERT_EQ(raw.size(), 65536u);
    ASSERT_EQ(clamped.size(), 65536u);
    int wrong = 0;
    for (std::uint64_t bits = 0; bits < 65536; ++bits) {
      const double value = decode(DType::bf16, bits);
      wrong += encode(dtype, value, Overflow::special) != raw[bits];
      wrong += encode(dtype, value, Overflow::saturate) != clamped[bits];
    }
    EXPECT_EQ(wrong, 0) << to_string(dtype);
  }
}

TEST_F(Casts, ChosenFp32ValuesGiveTheFp8CodeThatTorchGives) {
  for (const DType dtype : kFp8) {
    const auto x = golden<float>("castf32", dtype, "x");
    const auto raw = golden<std::uint8_t>("castf32", dtype, "raw");
    const auto clamped = golden<std::uint8_t>("castf32", dtype, "clamped");
    ASSERT_GT(x.size(), 700u);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_EQ(encode(dtype, x[i], Overflow::special), raw[i]) << to_string(dtype) << " " << x[i];
      EXPECT_EQ(encode(dtype, x[i], Overflow::saturate), clamped[i])
          << to_string(dtype) << " " << x[i];
    }
  }
}

TEST_F(Casts, EveryFp8CodeIsTheNumberThatTorchReads) {
  for (const DType dtype : kFp8) {
    const auto numbers = golden<float>("cast", dtype, "decode");
    ASSERT_EQ(numbers.size(), 256u);
    for (std::uint64_t bits = 0; bits < 256; ++bits) {
      const double value = decode(dtype, bits);
      if (std::isnan(numbers[bits]))
        EXPECT_TRUE(std::isnan(value)) << to_string(dtype) << " " << bits;
      else
        EXPECT_EQ(std::bit_cast<std::uint64_t>(value),
                  std::bit_cast<std::uint64_t>(static_cast<double>(numbers[bits])))
            << to_string(dtype) << " " << bits;
    }
  }
}

TEST(Codec, EveryNumberSurvivesTheRoundTrip) {
  for (const DType dtype : kSmall) {
    int wrong = 0;
    for (std::uint64_t bits = 0; bits < patterns(dtype); ++bits) {
      const double value = decode(dtype, bits);
      if (std::isnan(value))
        wrong += !std::isnan(decode(dtype, encode(dtype, value)));
      else
        wrong += encode(dtype, value) != bits;
    }
    EXPECT_EQ(wrong, 0) << to_string(dtype);
  }
  for (std::uint64_t bits = 0; bits < 255; ++bits)
    EXPECT_EQ(encode(DType::e8m0, decode(DType::e8m0, bits)), bits);
}

TEST(Codec, Bf16AndFp32AreTheBitsOfAFloat) {
  for (std::uint64_t bits = 0; bits < 65536; ++bits) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits << 16));
    if (std::isnan(value)) continue;
    ASSERT_EQ(decode(DType::bf16, bits), value);
    ASSERT_EQ(decode(DType::fp32, bits << 16), value);
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 200000; ++i) {
    // The compiler's own rounding of a double, over all exponents.
    const double value = std::bit_cast<double>(random());
    const float rounded = static_cast<float>(value);
    if (std::isnan(value)) continue;
    ASSERT_EQ(encode(DType::fp32, value), std::bit_cast<std::uint32_t>(rounded)) << value;
    const double near = std::ldexp(1 + std::ldexp(static_cast<double>(random() >> 11), -53),
                                   static_cast<int>(random() % 300) - 160);
    ASSERT_EQ(encode(DType::fp32, near), std::bit_cast<std::uint32_t>(static_cast<float>(near)))
        << near;
  }
}

TEST(Codec, TiesGoToEvenAndTheirNeighboursToTheNearest) {
  for (const DType dtype : kSmall) {
    const std::uint64_t largest = encode(dtype, kInfinity, Overflow::saturate);
    for (std::uint64_t bits = 0; bits < largest; ++bits) {
      const double low = decode(dtype, bits), high = decode(dtype, bits + 1);
      const double tie = low + (high - low) / 2;
      const std::uint64_t even = bits % 2 == 0 ? bits : bits + 1;
      ASSERT_EQ(encode(dtype, tie), even) << to_string(dtype) << " " << tie;
      ASSERT_EQ(encode(dtype, std::nextafter(tie, 0)), bits) << to_string(dtype) << " " << tie;
      ASSERT_EQ(encode(dtype, std::nextafter(tie, kInfinity)), bits + 1)
          << to_string(dtype) << " " << tie;
    }
  }
}

TEST(Codec, OneRoundingIsNotTwo) {
  // Rounded to fp32 first, this would be a tie, and the tie goes down.
  const double above_tie = 1 + 0x1p-8 + 0x1p-30;
  EXPECT_EQ(encode(DType::bf16, above_tie), 0x3F81u);
  EXPECT_EQ(encode(DType::bf16, static_cast<float>(above_tie)), 0x3F80u);
}

TEST(Codec, OverflowSaturatesOrIsSpecial) {
  struct Row {
    DType dtype;
    double last, first_over;  ///< around the point where rounding passes the largest number
    std::uint64_t largest, special, minus_special;
  };
  // The tie above the largest number goes to the even side of it: up for those with odd bits.
  const std::vector<Row> rows{
      {DType::e4m3fn, 464, std::nextafter(464, 500), 0x7E, 0x7F, 0xFF},
      {DType::e4m3fnuz, std::nextafter(248, 0), 248, 0x7F, 0x80, 0x80},
      {DType::e5m2, std::nextafter(61440, 0), 61440, 0x7B, 0x7C, 0xFC},
      {DType::e5m2fnuz, std::nextafter(61440, 0), 61440, 0x7F, 0x80, 0x80},
      {DType::fp16, std::nextafter(65520, 0), 65520, 0x7BFF, 0x7C00, 0xFC00},
      {DType::bf16, std::nextafter(0x1.FFp127, 0), 0x1.FFp127, 0x7F7F, 0x7F80, 0xFF80},
      {DType::fp32, std::nextafter(0x1.FFFFFFp127, 0), 0x1.FFFFFFp127, 0x7F7FFFFF, 0x7F800000,
       0xFF800000}};
  for (const Row& row : rows) {
    SCOPED_TRACE(to_string(row.dtype));
    EXPECT_EQ(encode(row.dtype, row.last), row.largest);
    for (const double over : {row.first_over, 1e300, kInfinity}) {
      EXPECT_EQ(encode(row.dtype, over), row.special) << over;
      EXPECT_EQ(encode(row.dtype, -over), row.minus_special) << over;
      EXPECT_EQ(encode(row.dtype, over, Overflow::saturate), row.largest) << over;
      EXPECT_EQ(decode(row.dtype, encode(row.dtype, -over, Overflow::saturate)),
                -decode(row.dtype, row.largest))
          << over;
    }
  }
}

TEST(Codec, NaNIsNaNWhateverHappensToOverflow) {
  for (const DType dtype : all_dtypes()) {
    if (!is_float(dtype)) continue;
    for (const Overflow overflow : {Overflow::saturate, Overflow::special})
      for (const double nan : {kNaN, -kNaN})
        EXPECT_TRUE(std::isnan(decode(dtype, encode(dtype, nan, overflow)))) << to_string(dtype);
  }
}

TEST(Codec, FnuzHasNoMinusZero) {
  for (const DType dtype : {DType::e4m3fnuz, DType::e5m2fnuz}) {
    const double tiny = float_format(dtype).denormal_min;
    for (const double value : {-0.0, -tiny / 2, -tiny / 3, -1e-300, -5e-324})
      EXPECT_EQ(encode(dtype, value), 0u) << to_string(dtype) << " " << value;
    EXPECT_NE(encode(dtype, std::nextafter(-tiny / 2, -1)), 0u);
    for (std::uint64_t bits = 0; bits < 65536; ++bits) {
      const double value = decode(DType::bf16, bits);
      if (std::isnan(value)) continue;
      ASSERT_NE(encode(dtype, value, Overflow::saturate), 0x80u) << value;
    }
  }
  EXPECT_EQ(encode(DType::e4m3fn, -0.0), 0x80u);
}

TEST(Codec, E8m0RoundsUpToAPowerOfTwo) {
  EXPECT_EQ(decode(DType::e8m0, 127), 1);
  EXPECT_TRUE(std::isnan(decode(DType::e8m0, 255)));
  for (std::uint64_t bits = 1; bits < 255; ++bits) {
    const double power = decode(DType::e8m0, bits);
    EXPECT_EQ(encode(DType::e8m0, power), bits);
    EXPECT_EQ(encode(DType::e8m0, std::nextafter(power, 0)), bits);
    EXPECT_EQ(encode(DType::e8m0, std::nextafter(power / 2, 1e300)), bits);
  }
  EXPECT_EQ(encode(DType::e8m0, 0), 0u);
  EXPECT_EQ(encode(DType::e8m0, 0x1p-140), 0u);
  EXPECT_EQ(encode(DType::e8m0, -1), 255u);
  EXPECT_EQ(encode(DType::e8m0, 0x1.8p127), 255u);
  EXPECT_EQ(encode(DType::e8m0, 0x1.8p127, Overflow::saturate), 254u);
}

TEST(Codec, IntegersAreTheirOwnNumbers) {
  EXPECT_EQ(decode(DType::i32, 0xFFFFFFFF), -1);
  EXPECT_EQ(decode(DType::i64, ~std::uint64_t{0}), -1);
  EXPECT_EQ(decode(DType::u8, 0xFF), 255);
  EXPECT_EQ(encode(DType::i32, -1), 0xFFFFFFFFu);
  EXPECT_EQ(encode(DType::u8, 2.5), 2u);
  EXPECT_EQ(encode(DType::u8, 3.5), 4u);
  EXPECT_EQ(encode(DType::u8, -3), 0u);
  EXPECT_EQ(encode(DType::u8, 300), 255u);
  EXPECT_EQ(encode(DType::i32, 1e10), 0x7FFFFFFFu);
  EXPECT_EQ(encode(DType::i64, -1e30), std::uint64_t{1} << 63);
  EXPECT_EQ(encode(DType::i64, 1e30), ~(std::uint64_t{1} << 63));
}

TEST(Codec, FormatsAreWhatTheirBitsSay) {
  for (const DType dtype : kSmall) {
    SCOPED_TRACE(to_string(dtype));
    const FloatFormat format = float_format(dtype);
    double max = 0, smallest = kInfinity;
    bool infinity = false, minus_zero = false;
    for (std::uint64_t bits = 0; bits < patterns(dtype); ++bits) {
      const double value = decode(dtype, bits);
      if (std::isfinite(value)) max = std::max(max, value);
      if (value > 0) smallest = std::min(smallest, value);
      infinity |= std::isinf(value);
      minus_zero |= value == 0 && std::signbit(value);
    }
    EXPECT_EQ(format.max, max);
    EXPECT_EQ(format.denormal_min, smallest);
    EXPECT_EQ(format.has_infinity, infinity);
    EXPECT_EQ(format.has_minus_zero, minus_zero);
    EXPECT_EQ(format.unit_roundoff(), (decode(dtype, encode(dtype, 1) + 1) - 1) / 2);
  }
  EXPECT_EQ(float_format(DType::e4m3fn).max, 448);
  EXPECT_EQ(float_format(DType::e4m3fnuz).max, 240);
  EXPECT_EQ(float_format(DType::e4m3fnuz).denormal_min, 0x1p-10);
  EXPECT_THROW(float_format(DType::i32), std::logic_error);
}

TEST(Codec, AnUlpIsTheDistanceToTheNextNumberUp) {
  for (const DType dtype : kSmall) {
    const std::uint64_t largest = encode(dtype, kInfinity, Overflow::saturate);
    for (std::uint64_t bits = 0; bits < largest; ++bits) {
      const double value = decode(dtype, bits), next = decode(dtype, bits + 1);
      ASSERT_EQ(ulp_at(dtype, value), next - value) << to_string(dtype) << " " << value;
      ASSERT_EQ(ulp_at(dtype, -value), next - value);
      ASSERT_EQ(position(dtype, bits + 1) - position(dtype, bits), 1);
    }
    const double at_largest = ulp_at(dtype, float_format(dtype).max);
    for (const double beyond : {1e300, kInfinity, -kInfinity, kNaN})
      EXPECT_EQ(ulp_at(dtype, beyond), at_largest);
  }
  EXPECT_EQ(position(DType::bf16, 0x8000), 0);
  EXPECT_EQ(position(DType::bf16, 0x8001), -1);
  EXPECT_EQ(position(DType::bf16, 0x7F80) - position(DType::bf16, 0x7F7F), 1);
  EXPECT_THROW(position(DType::e4m3fnuz, 0x80), std::logic_error);
}

TEST(Codec, TheRoundingIntervalHoldsWhatRoundsToTheCode) {
  const auto check = [](DType dtype, std::uint64_t bits) {
    const RoundingInterval interval = rounding_interval(dtype, bits);
    const double value = decode(dtype, bits);
    const auto rounds_here = [&](double x) {
      return decode(dtype, encode(dtype, x, Overflow::saturate)) == value;
    };
    ASSERT_TRUE(rounds_here(interval.low + (interval.high - interval.low) * 0x1p-40) ||
                std::isinf(interval.high) || std::isinf(interval.low))
        << to_string(dtype) << " " << bits;
    ASSERT_LE(interval.low, value);
    ASSERT_GE(interval.high, value);
    if (std::isfinite(interval.high)) {
      ASSERT_FALSE(rounds_here(std::nextafter(interval.high, kInfinity)));
      ASSERT_TRUE(rounds_here(std::nextafter(interval.high, -kInfinity)));
    } else {
      ASSERT_TRUE(rounds_here(1e300));
    }
    if (std::isfinite(interval.low) && !(dtype == DType::e8m0 && bits == 0)) {
      ASSERT_FALSE(rounds_here(std::nextafter(interval.low, -kInfinity)));
      ASSERT_TRUE(rounds_here(std::nextafter(interval.low, kInfinity)));
    }
  };
  for (const DType dtype : {DType::e4m3fn, DType::e4m3fnuz, DType::e5m2, DType::e5m2fnuz,
                            DType::e8m0, DType::bf16, DType::fp16, DType::u8})
    for (std::uint64_t bits = 0; bits < patterns(dtype); ++bits)
      if (std::isfinite(decode(dtype, bits))) check(dtype, bits);
}

}  // namespace
}  // namespace fusetune::test
