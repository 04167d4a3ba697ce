#pragma once
// Element types as numbers, bit-exact: what the formats say, independent of any compiler or device.
// Sources: IEEE 754 (fp16, fp32), bfloat16 as truncated fp32, OCP FP8 (e4m3fn, e5m2), OCP MX
// (e8m0), and the fnuz types of AMD CDNA3 (no infinities, no -0, NaN is 0x80).

#include <cstdint>

#include "harness/spec/dtype.hpp"

namespace fusetune {

bool is_float(DType dtype);  ///< e8m0 among them
bool is_integer(DType dtype);

/// The value of an element's bits (in the low bytes). Integers as they are; NaN for NaNs,
/// with their sign.
double decode(DType dtype, std::uint64_t bits);

/// What happens to numbers beyond the largest, infinities among them: fp8 conversions of the field
/// saturate.
enum class Overflow { saturate, special };  ///< special: infinity, or NaN where there is none

/// Rounds to nearest, ties to even, from fp64 at once (no double rounding). NaN gives the type's
/// canonical quiet NaN with the sign of `value`; the fp8 types that have a payload set all of it.
/// e8m0 rounds up to the next power of two, as block scales are rounded; zero is its smallest
/// number, a negative number its NaN. Integers always saturate, and NaN is their zero.
std::uint64_t encode(DType dtype, double value, Overflow overflow = Overflow::special);

struct FloatFormat {
  int mantissa_bits = 0;    ///< explicit ones
  int exponent_min = 0;     ///< of the smallest normal number
  double max = 0;           ///< largest finite
  double denormal_min = 0;  ///< smallest positive
  bool has_infinity = false;
  bool has_minus_zero = false;
  double unit_roundoff() const;  ///< 2^-(mantissa_bits + 1); 1 for e8m0, which rounds up
};
/// Throws std::logic_error for integers.
FloatFormat float_format(DType dtype);

/// The spacing of the type at `value`: what one ULP is there. At a power of two that of the numbers
/// above it; beyond the largest number, and for infinities and NaN, that of the largest.
double ulp_at(DType dtype, double value);

/// Numbers of a type in their order, one apart; both zeros are 0. Infinities are one past the
/// largest number. NaN has no place: throws std::logic_error.
std::int64_t position(DType dtype, std::uint64_t bits);

/// The numbers that encode(saturate) turns into these finite bits: [low, high], ends included.
struct RoundingInterval {
  double low = 0, high = 0;
};
RoundingInterval rounding_interval(DType dtype, std::uint64_t bits);

}  // namespace fusetune
