#ifndef FUSETUNE_FT_H
#define FUSETUNE_FT_H
// What a kernel needs besides the language: the same words for hipRTC, NVRTC and the host's C++
// compiler. Includes nothing, because run-time compilers have no system headers; FT_WAVE_SIZE is
// passed with -D. Besides this, kernels use threadIdx, blockIdx, blockDim and gridDim.
//
// Wave operations (shuffles, ballot, reductions) are for all lanes of a group of `width` lanes, or
// of the wave: reading a lane that takes no part is an error that the host device reports.

#ifndef FT_WAVE_SIZE
#error "FT_WAVE_SIZE must be defined as 32 or 64"
#endif

typedef unsigned char ft_u8;
typedef unsigned short ft_u16;
typedef unsigned int ft_u32;
typedef unsigned long long ft_u64;
typedef int ft_i32;
typedef long long ft_i64;

// ---- Platform words -------------------------------------------------------------------------

#if defined(FT_HOST)
#define FT_DEVICE static inline __attribute__((always_inline))
#ifdef __clang__
#define FT_UNROLL _Pragma("unroll")
#define FT_UNROLL_BY_4 _Pragma("unroll 4")
#else
#define FT_UNROLL _Pragma("GCC unroll 64")
#define FT_UNROLL_BY_4 _Pragma("GCC unroll 4")
#endif
/// The caller's source line: the host device names barriers and wave operations by it.
#define FT_LINE int ft_line = __builtin_LINE()
#define FT_AND_LINE , FT_LINE
#define FT_HERE ft_line
#define FT_AND_HERE , ft_line
/// Shared memory whose size is given at launch, as an array of `type`.
#define FT_DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(ft_host_dynamic_shared)
#else
#define FT_DEVICE static __device__ __attribute__((always_inline)) inline
#define FT_UNROLL _Pragma("unroll")
#define FT_UNROLL_BY_4 _Pragma("unroll 4")
#define FT_LINE
#define FT_AND_LINE
#define FT_HERE
#define FT_AND_HERE
#define FT_DYNAMIC_SHARED(type, name)                                      \
  extern __shared__ __attribute__((aligned(16))) char ft_dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(ft_dynamic_shared)
#endif

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define FT_NVIDIA 1
#undef FT_DEVICE
#define FT_DEVICE static __device__ __forceinline__
#define FT_VECTOR(bytes) alignas(bytes)
#else
#define FT_VECTOR(bytes) __attribute__((aligned(bytes), may_alias))
#ifndef FT_HOST
#define FT_AMD 1
#endif
#endif

/// Begins a kernel: FT_KERNEL(FT_BLOCK_SIZE) void name(...) { ... }
#define FT_KERNEL(threads) extern "C" __global__ __launch_bounds__(threads)

/// Static shared memory: FT_SHARED float partial[16];
#define FT_SHARED __shared__

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

FT_DEVICE float ft_bf16_to_f32(ft_u16 bits) {
  return ft_bits_to_f32(static_cast<ft_u32>(bits) << 16);
}

/// Rounds to nearest even; a NaN stays a NaN.
FT_DEVICE ft_u16 ft_f32_to_bf16(float value) {
#if defined(FT_NVIDIA) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  ft_u16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result) : "f"(value));
  return result;
#else
  const ft_u32 bits = ft_f32_to_bits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<ft_u16>((bits >> 16) | 0x40u);
  return static_cast<ft_u16>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
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
  if (magnitude < NORMAL) {  // the sum's last place is the smallest subnormal
    constexpr ft_u32 SHIFTER = NORMAL + (20u << 23);
    const float sum = ft_bits_to_f32(magnitude) + ft_bits_to_f32(SHIFTER);
    return ft_f32_to_bits(sum) - SHIFTER;
  }
  const ft_u32 rounded = magnitude + 0x7ffffu + ((magnitude >> 20) & 1u);
  const ft_u32 code = (rounded - (static_cast<ft_u32>(127 - BIAS) << 23)) >> 20;
  return code < MAX ? code : MAX;
}

/// OCP: 448 at most, NaN is 0x7f with either sign.
FT_DEVICE ft_u8 ft_f32_to_e4m3fn(float value) {
#if defined(FT_NVIDIA) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  ft_u16 pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(value));
  return static_cast<ft_u8>(pair);
#else
  const ft_u32 bits = ft_f32_to_bits(value);
  const ft_u32 magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x7f;
  const ft_u32 code = ft_f32_magnitude_to_e4m3<7, 0x7eu>(magnitude);
  return static_cast<ft_u8>(code | ((bits >> 24) & 0x80u));
#endif
}

/// CDNA3: 240 at most, 0x80 is NaN and there is no -0.
FT_DEVICE ft_u8 ft_f32_to_e4m3fnuz(float value) {
  const ft_u32 bits = ft_f32_to_bits(value);
  const ft_u32 magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return 0x80;
  const ft_u32 code = ft_f32_magnitude_to_e4m3<8, 0x7fu>(magnitude);
  return static_cast<ft_u8>(code == 0 ? 0u : code | ((bits >> 24) & 0x80u));
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

/// e^value to about 1 ULP; 0 or infinity beyond the range.
FT_DEVICE float ft_exp(float value) {
#if defined(FT_AMD)
  return __builtin_expf(value);
#else
  return expf(value);
#endif
}

/// 1 / (1 + e^-value). The exponential never overflows.
FT_DEVICE float ft_sigmoid(float value) {
  const float power = ft_exp(value < 0.0f ? value : -value);
  return (value < 0.0f ? power : 1.0f) / (1.0f + power);
}

// ---- Element types, as FT_TYPE_<DTYPE> names them -------------------------------------------

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

// ---- Vectors: one memory access of 2, 4, 8 or 16 bytes --------------------------------------

template <int BYTES>
struct FT_VECTOR(BYTES) ft_vec {
  static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "one access is 2, 4, 8 or 16 bytes");
  ft_u32 word[BYTES / 4];
};
template <>
struct FT_VECTOR(2) ft_vec<2> {
  ft_u16 half;
};

/// The 8-bit, 16-bit or 32-bit element `index` of a vector.
template <int BYTES>
FT_DEVICE ft_u8 ft_get8(const ft_vec<BYTES>& vec, int index) {
  if constexpr (BYTES == 2) {
    return static_cast<ft_u8>(vec.half >> (8 * index));
  } else {
    return static_cast<ft_u8>(vec.word[index / 4] >> (8 * (index % 4)));
  }
}
template <int BYTES>
FT_DEVICE void ft_set8(ft_vec<BYTES>& vec, int index, ft_u8 value) {
  if constexpr (BYTES == 2) {
    const ft_u32 kept = vec.half & ~(0xffu << (8 * index));
    vec.half = static_cast<ft_u16>(kept | (static_cast<ft_u32>(value) << (8 * index)));
  } else {
    const int shift = 8 * (index % 4);
    const ft_u32 kept = vec.word[index / 4] & ~(0xffu << shift);
    vec.word[index / 4] = kept | (static_cast<ft_u32>(value) << shift);
  }
}
template <int BYTES>
FT_DEVICE ft_u16 ft_get16(const ft_vec<BYTES>& vec, int index) {
  if constexpr (BYTES == 2) {
    return vec.half;
  } else {
    return static_cast<ft_u16>(vec.word[index / 2] >> (16 * (index % 2)));
  }
}
template <int BYTES>
FT_DEVICE void ft_set16(ft_vec<BYTES>& vec, int index, ft_u16 value) {
  if constexpr (BYTES == 2) {
    vec.half = value;
  } else {
    const int shift = 16 * (index % 2);
    const ft_u32 kept = vec.word[index / 2] & ~(0xffffu << shift);
    vec.word[index / 2] = kept | (static_cast<ft_u32>(value) << shift);
  }
}
template <int BYTES>
FT_DEVICE ft_u32 ft_get32(const ft_vec<BYTES>& vec, int index) {
  return vec.word[index];
}
template <int BYTES>
FT_DEVICE void ft_set32(ft_vec<BYTES>& vec, int index, ft_u32 value) {
  vec.word[index] = value;
}

/// All bits zero.
template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_zero() {
  return ft_vec<BYTES>{};
}

#if defined(FT_HOST)

template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load(const void* address) {
  ft_host_check_alignment(address, BYTES);
  return ft_host_load<ft_vec<BYTES>>(address);
}
template <int BYTES>
FT_DEVICE void ft_store(void* address, ft_vec<BYTES> value) {
  ft_host_check_alignment(address, BYTES);
  *static_cast<ft_vec<BYTES>*>(address) = value;
}
#define ft_load_nontemporal ft_load
#define ft_store_nontemporal ft_store

#else

// The compilers' own vector types: a struct copy may be split, these are one instruction.
template <int BYTES>
struct ft_native;
#define FT_NATIVE(bytes, ...) \
  template <>                 \
  struct ft_native<bytes> {   \
    typedef __VA_ARGS__;      \
  };
#if defined(FT_NVIDIA)
FT_NATIVE(2, unsigned short type)
FT_NATIVE(4, unsigned int type)
FT_NATIVE(8, uint2 type)
FT_NATIVE(16, uint4 type)
#else
FT_NATIVE(2, ft_u16 type __attribute__((may_alias)))
FT_NATIVE(4, ft_u32 type __attribute__((may_alias)))
FT_NATIVE(8, ft_u32 type __attribute__((ext_vector_type(2), may_alias)))
FT_NATIVE(16, ft_u32 type __attribute__((ext_vector_type(4), may_alias)))
#endif
#undef FT_NATIVE

FT_DEVICE ft_vec<2> ft_from_native(ft_native<2>::type value) { return ft_vec<2>{value}; }
FT_DEVICE ft_vec<4> ft_from_native(ft_native<4>::type value) { return ft_vec<4>{{value}}; }
FT_DEVICE ft_vec<8> ft_from_native(ft_native<8>::type value) {
  return ft_vec<8>{{value.x, value.y}};
}
FT_DEVICE ft_vec<16> ft_from_native(ft_native<16>::type value) {
  return ft_vec<16>{{value.x, value.y, value.z, value.w}};
}
FT_DEVICE ft_native<2>::type ft_to_native(ft_vec<2> vec) { return vec.half; }
FT_DEVICE ft_native<4>::type ft_to_native(ft_vec<4> vec) { return vec.word[0]; }
FT_DEVICE ft_native<8>::type ft_to_native(ft_vec<8> vec) {
  const ft_native<8>::type value = {vec.word[0], vec.word[1]};
  return value;
}
FT_DEVICE ft_native<16>::type ft_to_native(ft_vec<16> vec) {
  const ft_native<16>::type value = {vec.word[0], vec.word[1], vec.word[2], vec.word[3]};
  return value;
}

template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load(const void* address) {
  return ft_from_native(*static_cast<const typename ft_native<BYTES>::type*>(address));
}
template <int BYTES>
FT_DEVICE void ft_store(void* address, ft_vec<BYTES> value) {
  *static_cast<typename ft_native<BYTES>::type*>(address) = ft_to_native(value);
}
template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load_nontemporal(const void* address) {
  const auto* pointer = static_cast<const typename ft_native<BYTES>::type*>(address);
#if defined(FT_NVIDIA)
  return ft_from_native(__ldcs(pointer));
#else
  return ft_from_native(__builtin_nontemporal_load(pointer));
#endif
}
template <int BYTES>
FT_DEVICE void ft_store_nontemporal(void* address, ft_vec<BYTES> value) {
  auto* pointer = static_cast<typename ft_native<BYTES>::type*>(address);
#if defined(FT_NVIDIA)
  __stcs(pointer, ft_to_native(value));
#else
  __builtin_nontemporal_store(ft_to_native(value), pointer);
#endif
}

#endif

// ---- Packs: some elements of one type, moved by accesses of at most 16 bytes -----------------

template <class T, int COUNT>
struct ft_pack {
  static constexpr int BYTES = COUNT * static_cast<int>(sizeof(T));
  static constexpr int ACCESS = BYTES < 16 ? BYTES : 16;
  static_assert(BYTES % ACCESS == 0, "a pack is whole accesses");
  ft_vec<ACCESS> part[BYTES / ACCESS];
};

template <class T, int COUNT>
FT_DEVICE ft_pack<T, COUNT> ft_load_pack(const void* address) {
  typedef ft_pack<T, COUNT> Pack;
  Pack pack;
  FT_UNROLL
  for (int i = 0; i < Pack::BYTES / Pack::ACCESS; ++i) {
    pack.part[i] = ft_load<Pack::ACCESS>(static_cast<const char*>(address) + i * Pack::ACCESS);
  }
  return pack;
}
template <class T, int COUNT>
FT_DEVICE void ft_store_pack(void* address, const ft_pack<T, COUNT>& pack) {
  typedef ft_pack<T, COUNT> Pack;
  FT_UNROLL
  for (int i = 0; i < Pack::BYTES / Pack::ACCESS; ++i) {
    ft_store<Pack::ACCESS>(static_cast<char*>(address) + i * Pack::ACCESS, pack.part[i]);
  }
}

/// Element `index` of a pack as a number.
template <class T, int COUNT>
FT_DEVICE float ft_get(const ft_pack<T, COUNT>& pack, int index) {
  constexpr int PER_PART = ft_pack<T, COUNT>::ACCESS / static_cast<int>(sizeof(T));
  const auto& part = pack.part[index / PER_PART];
  if constexpr (sizeof(T) == 4) {
    return ft_to_f32(ft_bits<T>(ft_get32(part, index % PER_PART)));
  } else if constexpr (sizeof(T) == 2) {
    return ft_to_f32(ft_bits<T>(ft_get16(part, index % PER_PART)));
  } else {
    return ft_to_f32(ft_bits<T>(ft_get8(part, index % PER_PART)));
  }
}
/// Rounds `value` to the nearest element.
template <class T, int COUNT>
FT_DEVICE void ft_set(ft_pack<T, COUNT>& pack, int index, float value) {
  constexpr int PER_PART = ft_pack<T, COUNT>::ACCESS / static_cast<int>(sizeof(T));
  auto& part = pack.part[index / PER_PART];
  if constexpr (sizeof(T) == 4) {
    ft_set32(part, index % PER_PART, ft_bits<ft_u32>(ft_from_f32<T>(value)));
  } else if constexpr (sizeof(T) == 2) {
    ft_set16(part, index % PER_PART, ft_bits<ft_u16>(ft_from_f32<T>(value)));
  } else {
    ft_set8(part, index % PER_PART, ft_bits<ft_u8>(ft_from_f32<T>(value)));
  }
}

// ---- Block and wave -------------------------------------------------------------------------

/// Index of the thread in its block, x first.
FT_DEVICE int ft_thread() {
  return static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
}
FT_DEVICE int ft_wave() { return ft_thread() / FT_WAVE_SIZE; }
FT_DEVICE void ft_block_sync(FT_LINE) { __syncthreads(FT_HERE); }

#if defined(FT_HOST)

FT_DEVICE int ft_lane() { return ft_thread() % FT_WAVE_SIZE; }
FT_DEVICE void ft_wave_sync(FT_LINE) { ft_host_wave_sync(FT_HERE); }
#define FT_BALLOT(predicate) __ballot(predicate, FT_HERE)
#define FT_SHUFFLE(intrinsic, value, operand, width) intrinsic(value, operand, width, FT_HERE)

#elif defined(FT_NVIDIA)

FT_DEVICE int ft_lane() {
  int lane;
  asm("mov.u32 %0, %%laneid;" : "=r"(lane));
  return lane;
}
FT_DEVICE void ft_wave_sync() { __syncwarp(); }
/// The lanes of this lane's group: groups of one warp may diverge.
FT_DEVICE ft_u32 ft_group_mask(int width) {
  if (width >= 32) return 0xffffffffu;
  return ((1u << width) - 1u) << (ft_lane() & ~(width - 1));
}
#define FT_BALLOT(predicate) __ballot_sync(0xffffffffu, predicate)
#define FT_SHUFFLE(intrinsic, value, operand, width) \
  intrinsic##_sync(ft_group_mask(width), value, operand, width)

#else

FT_DEVICE int ft_lane() {
#if FT_WAVE_SIZE == 64
  return static_cast<int>(__builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u)));
#else
  return static_cast<int>(__builtin_amdgcn_mbcnt_lo(~0u, 0u));
#endif
}
FT_DEVICE void ft_wave_sync() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
#define FT_BALLOT(predicate) __ballot(predicate)
#define FT_SHUFFLE(intrinsic, value, operand, width) intrinsic(value, operand, width)

#endif

FT_DEVICE ft_u64 ft_ballot(bool predicate FT_AND_LINE) { return FT_BALLOT(predicate); }

template <typename T>
FT_DEVICE T ft_shfl(T value, int lane, int width = FT_WAVE_SIZE FT_AND_LINE) {
  return FT_SHUFFLE(__shfl, value, lane, width);
}
template <typename T>
FT_DEVICE T ft_shfl_xor(T value, int mask, int width = FT_WAVE_SIZE FT_AND_LINE) {
  return FT_SHUFFLE(__shfl_xor, value, mask, width);
}
template <typename T>
FT_DEVICE T ft_shfl_down(T value, int delta, int width = FT_WAVE_SIZE FT_AND_LINE) {
  return FT_SHUFFLE(__shfl_down, value, static_cast<unsigned>(delta), width);
}

/// On global and shared memory; returns the old value. T is float, ft_i32, ft_u32 or ft_u64.
template <typename T>
FT_DEVICE T ft_atomic_add(T* address, T value) {
  return atomicAdd(address, value);
}

// ---- Reductions; every lane or thread gets the result ---------------------------------------

/// Over groups of WIDTH lanes: 8, 16, 32 or 64, at most the wave.
template <int WIDTH>
FT_DEVICE float ft_wave_sum(float value FT_AND_LINE) {
  static_assert(WIDTH <= FT_WAVE_SIZE && (WIDTH & (WIDTH - 1)) == 0, "WIDTH is a part of a wave");
  FT_UNROLL
  for (int mask = WIDTH / 2; mask > 0; mask /= 2) {
    value += ft_shfl_xor(value, mask, WIDTH FT_AND_HERE);
  }
  return value;
}

/// A NaN of any lane may be lost: maxima are for scales, not for finding NaNs.
template <int WIDTH>
FT_DEVICE float ft_wave_max(float value FT_AND_LINE) {
  static_assert(WIDTH <= FT_WAVE_SIZE && (WIDTH & (WIDTH - 1)) == 0, "WIDTH is a part of a wave");
  FT_UNROLL
  for (int mask = WIDTH / 2; mask > 0; mask /= 2) {
    const float other = ft_shfl_xor(value, mask, WIDTH FT_AND_HERE);
    value = other > value ? other : value;
  }
  return value;
}

template <int THREADS, int GROUP, bool MAX>
FT_DEVICE float ft_group_reduce(float value, int turn FT_AND_LINE) {
  constexpr int LANES = GROUP < FT_WAVE_SIZE ? GROUP : FT_WAVE_SIZE;
  value = MAX ? ft_wave_max<LANES>(value FT_AND_HERE) : ft_wave_sum<LANES>(value FT_AND_HERE);
  if constexpr (GROUP > FT_WAVE_SIZE) {
    static_assert(GROUP % FT_WAVE_SIZE == 0 && THREADS % GROUP == 0, "a group is whole waves");
    constexpr int WAVES = GROUP / FT_WAVE_SIZE;
    FT_SHARED float partial[2][THREADS / FT_WAVE_SIZE];
    if (ft_lane() == 0) partial[turn][ft_wave()] = value;
    ft_block_sync(FT_HERE);
    const float* mine = &partial[turn][ft_wave() / WAVES * WAVES];
    value = mine[0];
    FT_UNROLL
    for (int i = 1; i < WAVES; ++i) {
      value = !MAX ? value + mine[i] : mine[i] > value ? mine[i] : value;
    }
  }
  return value;
}
/// Over each group of GROUP consecutive threads of a block of THREADS: whole waves, or an even part
/// of one. Calls alternate between turns 0 and 1, so that one barrier is enough for each.
template <int THREADS, int GROUP>
FT_DEVICE float ft_group_sum(float value, int turn FT_AND_LINE) {
  return ft_group_reduce<THREADS, GROUP, false>(value, turn FT_AND_HERE);
}
/// As ft_wave_max: a NaN may be lost.
template <int THREADS, int GROUP>
FT_DEVICE float ft_group_max(float value, int turn FT_AND_LINE) {
  return ft_group_reduce<THREADS, GROUP, true>(value, turn FT_AND_HERE);
}

/// Over the THREADS of a block. Ends with a barrier, so that calls may follow each other.
template <int THREADS>
FT_DEVICE float ft_block_sum(float value FT_AND_LINE) {
  static_assert(THREADS % FT_WAVE_SIZE == 0, "a block is whole waves");
  value = ft_wave_sum<FT_WAVE_SIZE>(value FT_AND_HERE);
  if constexpr (THREADS > FT_WAVE_SIZE) {
    constexpr int WAVES = THREADS / FT_WAVE_SIZE;
    FT_SHARED float partial[WAVES];
    if (ft_lane() == 0) partial[ft_wave()] = value;
    ft_block_sync(FT_HERE);
    value = 0.0f;
    FT_UNROLL
    for (int i = 0; i < WAVES; ++i) value += partial[i];
    ft_block_sync(FT_HERE);
  }
  return value;
}

#endif
