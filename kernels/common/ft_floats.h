#ifndef FUSETUNE_FT_FLOATS_H
#define FUSETUNE_FT_FLOATS_H
// Part of ft.h: floats of 16 and of 8 bits, functions of fp32, elements as types.

// ---- Bits and 16-bit floats -----------------------------------------------------------------

/// The bits of a value as another type of the same size.
template <typename To, typename From>
FT_DEVICE To ft_bits(From value) {
  static_assert(sizeof(To) == sizeof(From), "sizes differ");
  union {
    From from;
    To to;
  } pun;
  pun.from = value;
  return pun.to;
}
FT_DEVICE ft_u32 ft_f32_to_bits(float value) { return ft_bits<ft_u32>(value); }
FT_DEVICE float ft_bits_to_f32(ft_u32 bits) { return ft_bits<float>(bits); }

/// Of a normal number.
FT_DEVICE float ft_power_of_2(int exponent) {
  return ft_bits_to_f32(static_cast<ft_u32>(127 + exponent) << 23);
}

FT_DEVICE float ft_bf16_to_f32(ft_u16 bits) {
  return ft_bits_to_f32(static_cast<ft_u32>(bits) << 16);
}

#if defined(FT_NVIDIA) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
#define FT_CONVERTS_TO_BF16
#endif

/// Rounds to nearest even; a NaN stays a NaN.
FT_DEVICE ft_u16 ft_f32_to_bf16(float value) {
#if defined(FT_CONVERTS_TO_BF16)
  ft_u16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result) : "f"(value));
  return result;
#else
  const ft_u32 bits = ft_f32_to_bits(value);
  // Here and below both cases are computed and one is taken: a branch per element costs more.
  const ft_u32 quiet = bits | 0x400000u, rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return static_cast<ft_u16>(((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded) >> 16);
#endif
}

FT_DEVICE float ft_fp16_to_f32(ft_u16 bits) {
#if defined(FT_NVIDIA)
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(bits));
  return result;
#elif defined(FT_AMD)
  return static_cast<float>(ft_bits<_Float16>(bits));
#else
  const ft_u32 sign = static_cast<ft_u32>(bits & 0x8000u) << 16;
  const ft_u32 magnitude = bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // infinity or NaN, made quiet
    const ft_u32 quiet = magnitude > 0x7c00u ? 0x400000u : 0u;
    return ft_bits_to_f32(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13) | quiet);
  }
  if (magnitude < 0x400u) {  // subnormal: exact in float
    const float value = static_cast<float>(magnitude) * (1.0f / 16777216.0f);
    return ft_bits_to_f32(sign | ft_f32_to_bits(value));
  }
  return ft_bits_to_f32(sign | ((magnitude << 13) + 0x38000000u));
#endif
}

/// Rounds to nearest even, overflows to infinity; a NaN stays a NaN.
FT_DEVICE ft_u16 ft_f32_to_fp16(float value) {
#if defined(FT_NVIDIA)
  ft_u16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(value));
  return result;
#elif defined(FT_AMD)
  return ft_bits<ft_u16>(static_cast<_Float16>(value));
#else
  const ft_u32 bits = ft_f32_to_bits(value);
  const ft_u32 sign = (bits >> 16) & 0x8000u;
  const ft_u32 magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) {
    return static_cast<ft_u16>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  }
  if (magnitude >= 0x477ff000u) return static_cast<ft_u16>(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {  // below 2^-14: the sum's last place is the smallest subnormal
    const float sum = ft_bits_to_f32(magnitude) + 0.5f;
    return static_cast<ft_u16>(sign | (ft_f32_to_bits(sum) - 0x3f000000u));
  }
  const ft_u32 rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<ft_u16>(sign | ((rounded - 0x38000000u) >> 13));
#endif
}

// ---- 8-bit floats of 4 exponent and 3 fraction bits -----------------------------------------

/// Rounds to nearest even and saturates, infinities too. BIAS is that of the exponent, MAX the code
/// of the largest number.
template <int BIAS, ft_u32 MAX>
FT_DEVICE ft_u32 ft_f32_magnitude_to_e4m3(ft_u32 magnitude) {
  constexpr ft_u32 NORMAL = static_cast<ft_u32>(128 - BIAS) << 23;  // the smallest, as fp32
  constexpr ft_u32 SHIFTER = NORMAL + (20u << 23);  // the sum's last place: the smallest subnormal
  const float sum = ft_bits_to_f32(magnitude) + ft_bits_to_f32(SHIFTER);
  const ft_u32 subnormal = ft_f32_to_bits(sum) - SHIFTER;
  const ft_u32 rounded = magnitude + 0x7ffffu + ((magnitude >> 20) & 1u);
  const ft_u32 code = (rounded - (static_cast<ft_u32>(127 - BIAS) << 23)) >> 20;
  const ft_u32 normal = code < MAX ? code : MAX;
  return magnitude < NORMAL ? subnormal : normal;
}

#if defined(FT_NVIDIA) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
#define FT_CONVERTS_TO_E4M3
#endif

/// OCP: 448 at most, NaN is 0x7f with either sign.
FT_DEVICE ft_u8 ft_f32_to_e4m3fn(float value) {
#if defined(FT_CONVERTS_TO_E4M3)
  ft_u16 pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(value));
  return static_cast<ft_u8>(pair);
#else
  const ft_u32 bits = ft_f32_to_bits(value);
  const ft_u32 magnitude = bits & 0x7fffffffu;
  const ft_u32 code = ft_f32_magnitude_to_e4m3<7, 0x7eu>(magnitude) | ((bits >> 24) & 0x80u);
  return static_cast<ft_u8>(magnitude > 0x7f800000u ? 0x7fu : code);
#endif
}

/// CDNA3: 240 at most, 0x80 is NaN and there is no -0.
FT_DEVICE ft_u8 ft_f32_to_e4m3fnuz(float value) {
  const ft_u32 bits = ft_f32_to_bits(value);
  const ft_u32 magnitude = bits & 0x7fffffffu;
  const ft_u32 code = ft_f32_magnitude_to_e4m3<8, 0x7fu>(magnitude);
  const ft_u32 with_sign = code == 0 ? 0u : code | ((bits >> 24) & 0x80u);
  return static_cast<ft_u8>(magnitude > 0x7f800000u ? 0x80u : with_sign);
}

FT_DEVICE float ft_e4m3fn_to_f32(ft_u8 code) {
  const ft_u32 sign = static_cast<ft_u32>(code & 0x80u) << 24;
  const ft_u32 magnitude = code & 0x7fu;
  if (magnitude == 0x7fu) return ft_bits_to_f32(0x7fc00000u | sign);
  // As a denormal fp32 number, times what both biases differ by: exact.
  return ft_bits_to_f32(sign | (magnitude << 20)) * ft_bits_to_f32((127u + 120u) << 23);
}
FT_DEVICE float ft_e4m3fnuz_to_f32(ft_u8 code) {
  if (code == 0x80u) return ft_bits_to_f32(0x7fc00000u);
  const ft_u32 sign = static_cast<ft_u32>(code & 0x80u) << 24;
  return ft_bits_to_f32(sign | (static_cast<ft_u32>(code & 0x7fu) << 20)) *
         ft_bits_to_f32((127u + 119u) << 23);
}

/// 1 / sqrt(value) to about 1 ULP; 0 for infinity.
FT_DEVICE float ft_rsqrt(float value) {
#if defined(FT_AMD)
  return __builtin_amdgcn_rsqf(value);
#elif defined(FT_NVIDIA)
  return rsqrtf(value);
#else
  return 1.0f / __builtin_sqrtf(value);
#endif
}

/// 1 / value to about 1 ULP, where that is a normal number.
FT_DEVICE float ft_reciprocal(float value) {
#if defined(FT_AMD)
  return __builtin_amdgcn_rcpf(value);
#elif defined(FT_NVIDIA)
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(value));
  return result;
#else
  return 1.0f / value;
#endif
}

/// e^value for a value that is not above 0: 0 beyond the range. What the rounding of its logarithm
/// to base 2 costs grows with the value's size, to a relative error of 2^-17 at -87.
FT_DEVICE float ft_exp_of_negative(float value) {
#if defined(FT_AMD)
  return __builtin_expf(value);
#elif defined(FT_NVIDIA)
  float result;
  asm("ex2.approx.f32 %0, %1;" : "=f"(result) : "f"(value * 1.4426950408889634f));
  return result;
#else
  return expf(value);
#endif
}

/// 1 / (1 + e^-value). The exponential never overflows, and the divisor is from 1 to 2.
FT_DEVICE float ft_sigmoid(float value) {
  const float power = ft_exp_of_negative(value < 0.0f ? value : -value);
  return (value < 0.0f ? power : 1.0f) * ft_reciprocal(1.0f + power);
}

/// a * b + c, rounded once.
FT_DEVICE float ft_fma(float a, float b, float c) {
#if defined(FT_NVIDIA)
  return fmaf(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}

/// value / divisor, rounded as a division is, for divisors from 2^-60 to 2^60 and quotients that
/// are 0 or from 2^-11 on; smaller ones stay smaller. `inverse` is 1 / divisor, rounded to nearest.
/// How far the product is off is exact, and one step with it corrects the last place.
FT_DEVICE float ft_divide_by(float value, float divisor, float inverse) {
  const float quotient = value * inverse;
  const float excess = ft_fma(quotient, divisor, -value);  // so a zero keeps its sign
  const float corrected = ft_fma(-excess, inverse, quotient);
  return corrected == corrected ? corrected : quotient;
}

// ---- Element types, as FT_TYPE_<DTYPE> names them -------------------------------------------

template <class A, class B>
struct ft_is_same {
  static constexpr bool value = false;
};
template <class A>
struct ft_is_same<A, A> {
  static constexpr bool value = true;
};

struct ft_bf16 {
  ft_u16 bits;
};
struct ft_fp16 {
  ft_u16 bits;
};
typedef float ft_fp32;
struct ft_e4m3fn {
  static constexpr float MAX = 448.0f;
  ft_u8 bits;
};
struct ft_e4m3fnuz {
  static constexpr float MAX = 240.0f;
  ft_u8 bits;
};

FT_DEVICE float ft_to_f32(ft_bf16 element) { return ft_bf16_to_f32(element.bits); }
FT_DEVICE float ft_to_f32(ft_fp16 element) { return ft_fp16_to_f32(element.bits); }
FT_DEVICE float ft_to_f32(ft_fp32 element) { return element; }
FT_DEVICE float ft_to_f32(ft_e4m3fn element) { return ft_e4m3fn_to_f32(element.bits); }
FT_DEVICE float ft_to_f32(ft_e4m3fnuz element) { return ft_e4m3fnuz_to_f32(element.bits); }

FT_DEVICE void ft_assign(ft_bf16& element, float value) { element.bits = ft_f32_to_bf16(value); }
FT_DEVICE void ft_assign(ft_fp16& element, float value) { element.bits = ft_f32_to_fp16(value); }
FT_DEVICE void ft_assign(ft_fp32& element, float value) { element = value; }
FT_DEVICE void ft_assign(ft_e4m3fn& element, float value) {
  element.bits = ft_f32_to_e4m3fn(value);
}
FT_DEVICE void ft_assign(ft_e4m3fnuz& element, float value) {
  element.bits = ft_f32_to_e4m3fnuz(value);
}
/// The bits of two elements of at most 16 bits, side by side: the nearest to `low` in the lower
/// half.
template <class T>
FT_DEVICE ft_u32 ft_pair_from_f32(float low, float high) {
#if defined(FT_CONVERTS_TO_BF16)
  if constexpr (ft_is_same<T, ft_bf16>::value) {
    ft_u32 pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
  }
#endif
#if defined(FT_CONVERTS_TO_E4M3)
  if constexpr (ft_is_same<T, ft_e4m3fn>::value) {
    ft_u16 pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(high), "f"(low));
    return pair;
  }
#endif
  T elements[2];
  ft_assign(elements[0], low);
  ft_assign(elements[1], high);
  return elements[0].bits | static_cast<ft_u32>(elements[1].bits) << (8 * sizeof(T));
}
/// The nearest elements of 16 bits to the sums of two pairs. Rounding a sum to fp32 first makes no
/// difference: fp32 has twice their bits and two more.
template <class T>
FT_DEVICE ft_u32 ft_pair_sum(ft_u32 a, ft_u32 b) {
#if defined(FT_CONVERTS_TO_BF16)
  if constexpr (ft_is_same<T, ft_bf16>::value) {
    ft_u32 pair;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(pair) : "r"(a), "r"(0x3f803f80u), "r"(b));
    return pair;
  }
#endif
  const auto sum = [a, b](int shift) {
    return ft_to_f32(ft_bits<T>(static_cast<ft_u16>(a >> shift))) +
           ft_to_f32(ft_bits<T>(static_cast<ft_u16>(b >> shift)));
  };
  return ft_pair_from_f32<T>(sum(0), sum(16));
}
/// The nearest element: ft_from_f32<ft_bf16>(value).
template <class T>
FT_DEVICE T ft_from_f32(float value) {
  T element;
  ft_assign(element, value);
  return element;
}
/// A value as an element of that type holds it.
template <class T>
FT_DEVICE float ft_round_to(float value) {
  return ft_to_f32(ft_from_f32<T>(value));
}

#endif
