#include "harness/verify/codec.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace fusetune {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kDoubleMantissa = 52;
constexpr int kDoubleBias = 1023;

/// 2^exponent, for exponents of normal fp64 numbers.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kDoubleBias)
                               << kDoubleMantissa);
}

/// Sign and magnitude. Magnitudes count up from zero; `infinity` follows the largest number.
struct Layout {
  int mantissa_bits = 0;
  int exponent_min = 0;
  std::uint64_t sign = 0;      ///< the sign bit
  std::uint64_t largest = 0;   ///< magnitude of the largest finite number
  std::uint64_t infinity = 0;  ///< 0: none
  std::uint64_t nan = 0;       ///< what encode() gives
  bool unsigned_zero = false;  ///< fnuz: the sign bit alone is NaN, the only one
};

constexpr Layout kBf16{7, -126, 0x8000, 0x7F7F, 0x7F80, 0x7FC0};
constexpr Layout kFp16{10, -14, 0x8000, 0x7BFF, 0x7C00, 0x7E00};
constexpr Layout kFp32{23, -126, 0x80000000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000};
constexpr Layout kE4m3fn{3, -6, 0x80, 0x7E, 0, 0x7F};
constexpr Layout kE4m3fnuz{3, -7, 0x80, 0x7F, 0, 0x80, true};
constexpr Layout kE5m2{2, -14, 0x80, 0x7B, 0x7C, 0x7F};
constexpr Layout kE5m2fnuz{2, -15, 0x80, 0x7F, 0, 0x80, true};

/// nullptr for types of another kind.
const Layout* layout_of(DType dtype) {
  switch (dtype) {
    case DType::bf16:
      return &kBf16;
    case DType::fp16:
      return &kFp16;
    case DType::fp32:
      return &kFp32;
    case DType::e4m3fn:
      return &kE4m3fn;
    case DType::e4m3fnuz:
      return &kE4m3fnuz;
    case DType::e5m2:
      return &kE5m2;
    case DType::e5m2fnuz:
      return &kE5m2fnuz;
    case DType::e8m0:
    case DType::i32:
    case DType::i64:
    case DType::u8:
      return nullptr;
  }
  return nullptr;
}

double value_of(const Layout& layout, std::uint64_t magnitude) {
  const std::uint64_t exponent = magnitude >> layout.mantissa_bits;
  const std::uint64_t fraction = magnitude & ((std::uint64_t{1} << layout.mantissa_bits) - 1);
  if (exponent == 0)
    return static_cast<double>(fraction) * power_of_two(layout.exponent_min - layout.mantissa_bits);
  const auto biased = static_cast<std::int64_t>(exponent) - 1 + layout.exponent_min + kDoubleBias;
  return std::bit_cast<double>(static_cast<std::uint64_t>(biased) << kDoubleMantissa |
                               fraction << (kDoubleMantissa - layout.mantissa_bits));
}

double decode(const Layout& layout, std::uint64_t bits) {
  const std::uint64_t magnitude = bits & (layout.sign - 1);
  const bool negative = (bits & layout.sign) != 0;
  if (layout.unsigned_zero && magnitude == 0 && negative) return kNaN;
  if (magnitude > layout.largest) {
    if (magnitude != layout.infinity) return negative ? -kNaN : kNaN;
    return negative ? -kInfinity : kInfinity;
  }
  const double value = value_of(layout, magnitude);
  return negative ? -value : value;
}

/// The magnitude nearest to a finite number >= 0, ties to even, as if there were no largest.
std::uint64_t nearest(const Layout& layout, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int biased = static_cast<int>(bits >> kDoubleMantissa);
  if (biased == 0) return 0;  // below 2^-1022: far below half of any smallest number
  const int exponent = biased - kDoubleBias;
  const std::uint64_t significand =
      (bits & ((std::uint64_t{1} << kDoubleMantissa) - 1)) | std::uint64_t{1} << kDoubleMantissa;
  const int scale = std::max(exponent, layout.exponent_min);
  const int dropped = kDoubleMantissa - layout.mantissa_bits + (scale - exponent);
  if (dropped > kDoubleMantissa + 1) return 0;  // below half of the smallest
  std::uint64_t kept = significand >> dropped;
  const std::uint64_t rest = significand & ((std::uint64_t{1} << dropped) - 1);
  const std::uint64_t half = std::uint64_t{1} << (dropped - 1);
  if (rest > half || (rest == half && (kept & 1) != 0)) ++kept;
  // A carry out of the fraction runs into the exponent, where it belongs.
  return (static_cast<std::uint64_t>(scale - layout.exponent_min) << layout.mantissa_bits) + kept;
}

std::uint64_t encode(const Layout& layout, double value, Overflow overflow) {
  const std::uint64_t sign = std::signbit(value) ? layout.sign : 0;
  if (std::isnan(value)) return layout.nan | sign;
  const std::uint64_t magnitude =
      std::isinf(value) ? layout.largest + 1 : nearest(layout, std::fabs(value));
  if (magnitude == 0 && layout.unsigned_zero) return 0;
  if (magnitude <= layout.largest) return magnitude | sign;
  if (overflow == Overflow::saturate) return layout.largest | sign;
  return (layout.infinity != 0 ? layout.infinity : layout.nan) | sign;
}

constexpr std::uint64_t kE8m0NaN = 0xFF;
constexpr int kE8m0Bias = 127;

double decode_e8m0(std::uint64_t bits) {
  return bits == kE8m0NaN ? kNaN : power_of_two(static_cast<int>(bits) - kE8m0Bias);
}

std::uint64_t encode_e8m0(double value, Overflow overflow) {
  if (std::isnan(value) || value < 0) return kE8m0NaN;
  const std::uint64_t too_large = overflow == Overflow::saturate ? kE8m0NaN - 1 : kE8m0NaN;
  if (std::isinf(value)) return too_large;
  int exponent = 0;  // value = m * 2^exponent with m in [0.5, 1)
  if (value == 0) return 0;
  if (std::frexp(value, &exponent) == 0.5) --exponent;
  if (exponent > kE8m0Bias) return too_large;
  return static_cast<std::uint64_t>(std::max(exponent + kE8m0Bias, 0));
}

double decode_integer(DType dtype, std::uint64_t bits) {
  if (dtype == DType::u8) return static_cast<double>(static_cast<std::uint8_t>(bits));
  if (dtype == DType::i32) return static_cast<double>(static_cast<std::int32_t>(bits));
  return static_cast<double>(static_cast<std::int64_t>(bits));
}

template <typename Integer>
std::uint64_t encode_integer(double value) {
  using Limits = std::numeric_limits<Integer>;
  if (std::isnan(value)) return 0;
  double whole = std::floor(std::fabs(value));
  const double rest = std::fabs(value) - whole;
  if (rest > 0.5 || (rest == 0.5 && std::fmod(whole, 2) == 1)) ++whole;
  if (value < 0) whole = -whole;
  Integer nearest = 0;
  // The largest i64 is no fp64 number: the comparison is with 2^63.
  if (whole >= static_cast<double>(Limits::max()))
    nearest = Limits::max();
  else if (whole <= static_cast<double>(Limits::min()))
    nearest = Limits::min();
  else
    nearest = static_cast<Integer>(whole);
  return static_cast<std::uint64_t>(static_cast<std::make_unsigned_t<Integer>>(nearest));
}

std::uint64_t encode_integer(DType dtype, double value) {
  if (dtype == DType::u8) return encode_integer<std::uint8_t>(value);
  if (dtype == DType::i32) return encode_integer<std::int32_t>(value);
  return encode_integer<std::int64_t>(value);
}

/// The point where rounding changes between two neighbours of a type.
double midpoint(double a, double b) { return a + (b - a) / 2; }

RoundingInterval rounding_interval(const Layout& layout, std::uint64_t bits) {
  const std::uint64_t magnitude = bits & (layout.sign - 1);
  const double here = value_of(layout, magnitude);
  RoundingInterval interval{0, kInfinity};
  if (magnitude < layout.largest) interval.high = midpoint(here, value_of(layout, magnitude + 1));
  interval.low = magnitude == 0 ? -interval.high : midpoint(value_of(layout, magnitude - 1), here);
  if ((bits & layout.sign) != 0 && magnitude != 0) return {-interval.high, -interval.low};
  return interval;
}

RoundingInterval rounding_interval_e8m0(std::uint64_t bits) {
  const double here = decode_e8m0(bits);
  RoundingInterval interval{here / 2, here};
  if (bits == 0) interval.low = 0;
  if (bits == kE8m0NaN - 1) interval.high = kInfinity;
  return interval;
}

}  // namespace

bool is_float(DType dtype) { return dtype == DType::e8m0 || layout_of(dtype) != nullptr; }

bool is_integer(DType dtype) { return !is_float(dtype); }

double decode(DType dtype, std::uint64_t bits) {
  if (const Layout* layout = layout_of(dtype)) return decode(*layout, bits);
  return dtype == DType::e8m0 ? decode_e8m0(bits) : decode_integer(dtype, bits);
}

std::uint64_t encode(DType dtype, double value, Overflow overflow) {
  if (const Layout* layout = layout_of(dtype)) return encode(*layout, value, overflow);
  return dtype == DType::e8m0 ? encode_e8m0(value, overflow) : encode_integer(dtype, value);
}

double FloatFormat::unit_roundoff() const {
  return mantissa_bits == 0 ? 1 : power_of_two(-(mantissa_bits + 1));
}

FloatFormat float_format(DType dtype) {
  if (dtype == DType::e8m0)
    return {.mantissa_bits = 0,
            .exponent_min = -kE8m0Bias,
            .max = power_of_two(kE8m0Bias),
            .denormal_min = power_of_two(-kE8m0Bias)};
  const Layout* layout = layout_of(dtype);
  if (layout == nullptr) throw std::logic_error("no floating-point type");
  return {.mantissa_bits = layout->mantissa_bits,
          .exponent_min = layout->exponent_min,
          .max = value_of(*layout, layout->largest),
          .denormal_min = value_of(*layout, 1),
          .has_infinity = layout->infinity != 0,
          .has_minus_zero = !layout->unsigned_zero};
}

double ulp_at(DType dtype, double value) {
  if (is_integer(dtype)) return 1;
  const FloatFormat format = float_format(dtype);
  const double magnitude = std::fabs(value);
  const double inside = magnitude <= format.max ? magnitude : format.max;
  const int exponent = inside < format.denormal_min ? format.exponent_min : std::ilogb(inside);
  return power_of_two(std::max(exponent, format.exponent_min) - format.mantissa_bits);
}

std::int64_t position(DType dtype, std::uint64_t bits) {
  if (const Layout* layout = layout_of(dtype)) {
    const std::uint64_t magnitude = bits & (layout->sign - 1);
    const bool negative = (bits & layout->sign) != 0;
    if (magnitude > std::max(layout->largest, layout->infinity) ||
        (layout->unsigned_zero && magnitude == 0 && negative))
      throw std::logic_error("a NaN has no position");
    return negative ? -static_cast<std::int64_t>(magnitude) : static_cast<std::int64_t>(magnitude);
  }
  if (dtype == DType::e8m0 && bits == kE8m0NaN) throw std::logic_error("a NaN has no position");
  return dtype == DType::i32 ? static_cast<std::int32_t>(bits) : static_cast<std::int64_t>(bits);
}

RoundingInterval rounding_interval(DType dtype, std::uint64_t bits) {
  if (dtype == DType::e8m0) return rounding_interval_e8m0(bits);
  if (const Layout* layout = layout_of(dtype)) return rounding_interval(*layout, bits);
  const double here = decode(dtype, bits);
  const bool largest = bits == encode(dtype, kInfinity);
  return {bits == encode(dtype, -kInfinity) ? -kInfinity : here - 0.5,
          largest ? kInfinity : here + 0.5};
}

}  // namespace fusetune
