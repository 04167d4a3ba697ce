#ifndef FUSETUNE_FT_H
#define FUSETUNE_FT_H
// What a kernel needs besides the language: the same words for hipRTC, NVRTC and the host's C++
// compiler. Includes its own parts alone, because run-time compilers have no system headers;
// FT_WAVE_SIZE is passed with -D. Besides this, kernels use threadIdx, blockIdx, blockDim and
// gridDim.
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
#define FT_NO_UNROLL _Pragma("unroll 1")
#else
#define FT_UNROLL _Pragma("GCC unroll 64")
#define FT_UNROLL_BY_4 _Pragma("GCC unroll 4")
#define FT_NO_UNROLL _Pragma("GCC unroll 1")
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
#define FT_NO_UNROLL _Pragma("unroll 1")
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

#include "ft_floats.h"
#include "ft_vectors.h"

// ---- When things are computed ---------------------------------------------------------------

/// The same number, which the compiler does not know: what follows from it is not computed ahead of
/// a loop, where it would take registers, or hold up what is there.
FT_DEVICE ft_u32 ft_opaque(ft_u32 value) {
#if defined(FT_AMD)
  asm volatile("" : "+v"(value));
#elif defined(FT_NVIDIA)
  asm volatile("" : "+r"(value));
#endif
  return value;
}
FT_DEVICE int ft_opaque(int value) {
  return static_cast<int>(ft_opaque(static_cast<ft_u32>(value)));
}
FT_DEVICE ft_i64 ft_opaque(ft_i64 value) {
#if defined(FT_AMD)
  asm volatile("" : "+v"(value));
#elif defined(FT_NVIDIA)
  asm volatile("" : "+l"(value));
#endif
  return value;
}

/// The same address of global memory, aligned to BYTES and computed here: not behind the loads that
/// a store waits for, where compilers put what only the store needs.
template <int BYTES>
FT_DEVICE char* ft_computed(char* address) {
#if defined(FT_AMD)
  typedef __attribute__((address_space(1))) char Global;
  Global* global = (Global*)address;
  asm volatile("" : "+v"(global));
  return (char*)global;
#elif defined(FT_NVIDIA)
  // By way of 16 bytes before it: NVRTC 13.0 splits a store that begins just where an address does
  // of which it knows nothing.
  auto global = __cvta_generic_to_global(address - 16);
  asm volatile("" : "+l"(global));
  return static_cast<char*>(__builtin_assume_aligned(__cvta_global_to_generic(global), BYTES)) + 16;
#else
  return address;
#endif
}

// ---- Block and wave -------------------------------------------------------------------------

/// Index of the thread in its block, x first.
FT_DEVICE int ft_thread() {
  return static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z));
}
FT_DEVICE int ft_wave() {
  return static_cast<int>(static_cast<ft_u32>(ft_thread()) / FT_WAVE_SIZE);
}
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

/// Loads and stores stay on their side of it in the code: asked for in the order of the text. Says
/// nothing about when others see them. All lanes of a wave come by; the host device reports those
/// that do not.
FT_DEVICE void ft_keep_order(FT_LINE) {
#if defined(FT_HOST)
  ft_wave_sync(FT_HERE);
#elif defined(FT_NVIDIA)
  // Its assembler orders what an empty asm statement does not. Of lanes that it does not know to be
  // all of the warp's: otherwise it takes the barrier out, and puts arithmetic before it that waits
  // for loads.
  asm volatile("{ .reg .b32 lanes; activemask.b32 lanes; bar.warp.sync lanes; }" ::: "memory");
#else
  asm volatile("" ::: "memory");
#endif
}

/// As ft_keep_order, where rows of one wave may be ahead of others: lanes come by when they do.
FT_DEVICE void ft_keep_own_order() {
#if !defined(FT_HOST)
  ft_keep_order();
#endif
}

/// As ft_keep_order, and on NVIDIA GPUs arithmetic stays behind it as well: what waits for a load
/// does not go ahead of what waits for nothing.
FT_DEVICE void ft_keep_all_order(FT_LINE) {
#if defined(FT_NVIDIA)
  // No wave comes by without lanes, but the assembler does not know, and arithmetic stays on its
  // side of an exit.
  asm volatile(
      "{ .reg .b32 lanes; .reg .pred none; activemask.b32 lanes; bar.warp.sync lanes; "
      "setp.eq.u32 none, lanes, 0; @none exit; }" ::
          : "memory");
#else
  ft_keep_order(FT_HERE);
#endif
}

/// Whether the grid is the largest that families ask for, as threads of a grid have 32 bits: a
/// smaller one has a block for each piece of work, and their number, for which a block would wait,
/// need not be looked at.
template <int BLOCK>
FT_DEVICE bool ft_grid_is_largest() {
  return gridDim.x == 0xffffffffu / BLOCK;
}

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
    const ft_u32 wave = threadIdx.x / FT_WAVE_SIZE;
    if (ft_lane() == 0) partial[turn][wave] = value;
    ft_block_sync(FT_HERE);
    const float* mine = &partial[turn][wave / WAVES * WAVES];
    float of[WAVES];
    FT_UNROLL
    for (int i = 0; i < WAVES; ++i) of[i] = mine[i];
    // By halves: fewer steps wait for each other than one after the other.
    FT_UNROLL
    for (int step = 1; step < WAVES; step *= 2) {
      FT_UNROLL
      for (int i = 0; i + step < WAVES; i += 2 * step) {
        of[i] = !MAX ? of[i] + of[i + step] : of[i + step] > of[i] ? of[i + step] : of[i];
      }
    }
    value = of[0];
  }
  return value;
}
/// Over each group of GROUP consecutive threads of a block of THREADS in one dimension: whole
/// waves, or an even part of one. Calls alternate between turns 0 and 1, so that one barrier is
/// enough for each.
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
