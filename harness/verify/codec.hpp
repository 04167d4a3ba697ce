#pragma once
// Element types as numbers, bit-exact: what the formats say, independent of any compiler or device.
// Sources: IEEE 754 (fp16, fp32), bfloat16 as truncated fp32, OCP FP8 (e4m3fn, e5m2), OCP MX
// (e8m0), and the fnuz types of AMD CDNA3 (no infinities, no -0, NaN is 0x80).

#include <cstdint>

#include "harness/spec/dtype.hpp"

namespace fusetune {

bool is_float(DType dtype);
bool is_integer(DType dtype);

/// The value of an element's bits (in the low bytes). Integers as they are; NaN for NaNs.
double decode(DType dtype, std::uint64_t bits);

/// What happens to finite numbers beyond the largest: fp8 conversions of the field saturate.
enum class Overflow { saturate, special };  ///< special: infinity, or NaN where there is none

/// Rounds to nearest, ties to even, from fp64 at once (no double rounding). NaN gives the type's
/// canonical quiet NaN; e8m0 rounds up to the next power of two, as block scales are rounded.
/// Infinities saturate like other large numbers under `saturate`, where the type has no infinity.
std::uint64_t encode(DType dtype, double value, Overflow overflow = Overflow::special);

struct FloatFormat {
  int mantissa_bits = 0;    ///< explicit ones
  int exponent_min = 0;     ///< of the smallest normal number
  double max = 0;           ///< largest finite
  double denormal_min = 0;  ///< smallest positive
  bool has_infinity = false;
  bool has_minus_zero = false;
  double unit_roundoff() const;  ///< 2^-(mantissa_bits + 1)
};
FloatFormat float_format(DType dtype);

/// The spacing of the type at `value`: what one ULP is there.
double ulp_at(DType dtype, double value);

}  // namespace fusetune
