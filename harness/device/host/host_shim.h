#pragma once
// Force-included when a kernel is compiled for the host: the words of HIP as plain C++. Threads of
// a block are fibres where the kernel needs them, otherwise a loop; which one is seen from what the
// finished module imports.

#include "host_abi.h"

#define FT_HOST 1

#if !defined(__x86_64__)
#error "the fibre switch is written for x86-64"
#endif

#define __global__ __attribute__((always_inline)) inline
#define __device__
#define __host__
#define __constant__ const
#define __forceinline__ __attribute__((always_inline)) inline
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
// Statics of functions are the module's shared memory: the runtime knows them by their symbols and
// poisons them, so the compiler must not take one that is never written for zero.
#define __shared__ static __attribute__((used))

// State of the running thread. One block runs at a time, on one thread of the machine.
static unsigned long long ft_host_result;
#ifdef FT_HOST_EXACT
// Nothing that a thread sees changes while it runs. Reads of constants are not instrumented, so the
// compiler is told of constants, and the variables behind them are defined where it does not look.
#define FT_HOST_CONSTANT(type, name, bytes)                                               \
  asm(".local ft_host_state_" #name "\n\t.comm ft_host_state_" #name ", " #bytes ", 16"); \
  extern __attribute__((visibility("hidden"))) type const name asm("ft_host_state_" #name);
FT_HOST_CONSTANT(ft_host_dim, threadIdx, 12)
FT_HOST_CONSTANT(ft_host_dim, blockIdx, 12)
FT_HOST_CONSTANT(ft_host_dim, blockDim, 12)
FT_HOST_CONSTANT(ft_host_dim, gridDim, 12)
FT_HOST_CONSTANT(void*, ft_host_dynamic_shared, 8)
#undef FT_HOST_CONSTANT
#else
static ft_host_dim threadIdx, blockIdx, blockDim, gridDim;
static void* ft_host_dynamic_shared;
#endif
static constexpr int warpSize = FT_WAVE_SIZE;

extern "C" __attribute__((visibility("default"))) const ft_host_module ft_host_module_table;
const ft_host_module ft_host_module_table = {FT_HOST_ABI,
                                             FT_WAVE_SIZE,
                                             const_cast<ft_host_dim*>(&threadIdx),
                                             const_cast<ft_host_dim*>(&blockIdx),
                                             const_cast<ft_host_dim*>(&blockDim),
                                             const_cast<ft_host_dim*>(&gridDim),
                                             const_cast<void**>(&ft_host_dynamic_shared),
                                             &ft_host_result};

// ---- Fibre switch ---------------------------------------------------------------------------

/// Inlined, so that calls and returns stay paired within each fibre and the processor predicts
/// them. Every register is lost but rsp and rbp; needs -mno-red-zone.
static inline __attribute__((always_inline)) void ft_host_go(ft_host_switch where) {
  if (where.to == nullptr) return;
  void** save = where.save;
  void* to = where.to;
  asm volatile(
      "pushq %%rbp\n\t"
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "movq %%rsp, (%0)\n\t"
      "movq %1, %%rsp\n\t"
      "popq %%rax\n\t"
      "jmpq *%%rax\n"
      "1:\n\t"
      "popq %%rbp\n\t"
      : "+D"(save), "+S"(to)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0",
        "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
        "xmm12", "xmm13", "xmm14", "xmm15", "memory", "cc");
}

/// What the last wave operation gave. Not an access of the kernel: instrumented code must not tell.
static inline __attribute__((always_inline)) unsigned long long ft_host_last_result() {
#ifdef FT_HOST_EXACT
  unsigned long long result;
  asm volatile("movq %1, %0" : "=r"(result) : "m"(ft_host_result));
  return result;
#else
  return ft_host_result;
#endif
}

static inline __attribute__((always_inline)) void ft_host_block_sync(int line) {
  ft_host_go(ft_host_at_barrier(line));
}
static inline __attribute__((always_inline)) void ft_host_wave_sync(int line) {
  ft_host_go(ft_host_at_wave_sync(line));
}
static inline __attribute__((always_inline)) unsigned long long ft_host_ballot_wave(bool predicate,
                                                                                    int line) {
  ft_host_go(ft_host_at_ballot(predicate ? 1 : 0, line));
  return ft_host_last_result();
}
template <typename T>
static inline __attribute__((always_inline)) T ft_host_shuffle(T value, int source_lane, int line) {
  static_assert(sizeof(T) <= 8, "shuffles move at most 8 bytes");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  ft_host_go(ft_host_at_shuffle(bits, source_lane, line));
  bits = ft_host_last_result();
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

/// Blocks run one after the other, so nothing comes between the load and the store.
#ifdef FT_HOST_EXACT
template <typename T, typename V>
static __attribute__((noinline, no_sanitize("thread", "alignment"))) T ft_host_atomic_add(
    T* address, V value) {
  ft_host_exact_atomic(address, static_cast<int>(sizeof(T)), __builtin_return_address(0));
#else
template <typename T, typename V>
static inline __attribute__((always_inline)) T ft_host_atomic_add(T* address, V value) {
#endif
  const T old = *address;
  *address = static_cast<T>(old + static_cast<T>(value));
  return old;
}

#ifdef FT_HOST_EXACT
// The compiler tells of copies whose size is that of a register, and of no others.
#define FT_HOST_PLAIN_SIZE(n) \
  (__builtin_constant_p(n) && ((n) == 1 || (n) == 2 || (n) == 4 || (n) == 8 || (n) == 16))
static inline __attribute__((always_inline)) void* ft_host_copy(void* to, const void* from,
                                                                unsigned long bytes) {
  if (!FT_HOST_PLAIN_SIZE(bytes)) {
    ft_host_exact_range(from, bytes, 0);
    ft_host_exact_range(to, bytes, 1);
  }
  return __builtin_memcpy(to, from, bytes);
}
static inline __attribute__((always_inline)) void* ft_host_move(void* to, const void* from,
                                                                unsigned long bytes) {
  ft_host_exact_range(from, bytes, 0);
  ft_host_exact_range(to, bytes, 1);
  return __builtin_memmove(to, from, bytes);
}
static inline __attribute__((always_inline)) void* ft_host_set(void* to, int value,
                                                               unsigned long bytes) {
  ft_host_exact_range(to, bytes, 1);
  return __builtin_memset(to, value, bytes);
}
#undef FT_HOST_PLAIN_SIZE
#define __builtin_memcpy ft_host_copy
#define __builtin_memmove ft_host_move
#define __builtin_memset ft_host_set
#endif

/// g++ checks the alignment of every access by itself; clang leaves out copies of structs.
static inline __attribute__((always_inline)) void ft_host_check_alignment(const void* address,
                                                                          int bytes) {
#ifdef __clang__
  if (reinterpret_cast<unsigned long long>(address) % bytes != 0) __builtin_trap();
#else
  (void)address, (void)bytes;
#endif
}

#ifdef FT_HOST_EXACT
template <int BYTES>
struct ft_host_register;
template <>
struct ft_host_register<2> {
  typedef unsigned short type __attribute__((may_alias));
};
template <>
struct ft_host_register<4> {
  typedef unsigned type __attribute__((may_alias));
};
template <>
struct ft_host_register<8> {
  typedef unsigned long long type __attribute__((may_alias));
};
template <>
struct ft_host_register<16> {
  typedef unsigned type __attribute__((vector_size(16), may_alias));
};
/// By way of a register: a copy of a struct becomes one load of each field that is used.
template <typename V>
static inline __attribute__((always_inline)) V ft_host_load(const void* address) {
  typedef typename ft_host_register<sizeof(V)>::type word;
  return __builtin_bit_cast(V, *static_cast<const word*>(address));
}
#else
template <typename V>
static inline __attribute__((always_inline)) V ft_host_load(const void* address) {
  return *static_cast<const V*>(address);
}
#endif

// ---- HIP's own names, for kernels that do not use ft.h --------------------------------------

static inline __attribute__((always_inline)) void __syncthreads(int line = __builtin_LINE()) {
  ft_host_block_sync(line);
}
static inline void __threadfence() {}
static inline void __threadfence_block() {}

static inline __attribute__((always_inline)) int ft_host_lane() {
  return static_cast<int>(threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) %
         FT_WAVE_SIZE;
}
static inline __attribute__((always_inline)) unsigned long long __ballot(
    int predicate, int line = __builtin_LINE()) {
  return ft_host_ballot_wave(predicate != 0, line);
}
template <typename T>
static inline __attribute__((always_inline)) T __shfl(T value, int lane, int width = FT_WAVE_SIZE,
                                                      int line = __builtin_LINE()) {
  const int self = ft_host_lane();
  return ft_host_shuffle(value, (self & ~(width - 1)) | (lane & (width - 1)), line);
}
template <typename T>
static inline __attribute__((always_inline)) T __shfl_xor(T value, int mask,
                                                          int width = FT_WAVE_SIZE,
                                                          int line = __builtin_LINE()) {
  const int self = ft_host_lane();
  const int source = self ^ mask;
  const bool inside = (source & ~(width - 1)) == (self & ~(width - 1));
  return ft_host_shuffle(value, inside ? source : self, line);
}
template <typename T>
static inline __attribute__((always_inline)) T __shfl_down(T value, unsigned delta,
                                                           int width = FT_WAVE_SIZE,
                                                           int line = __builtin_LINE()) {
  const int self = ft_host_lane();
  const bool inside = (self & (width - 1)) + static_cast<int>(delta) < width;
  return ft_host_shuffle(value, inside ? self + static_cast<int>(delta) : self, line);
}
template <typename T>
static inline __attribute__((always_inline)) T __shfl_up(T value, unsigned delta,
                                                         int width = FT_WAVE_SIZE,
                                                         int line = __builtin_LINE()) {
  const int self = ft_host_lane();
  const bool inside = (self & (width - 1)) >= static_cast<int>(delta);
  return ft_host_shuffle(value, inside ? self - static_cast<int>(delta) : self, line);
}
template <typename T, typename V>
static inline __attribute__((always_inline)) T atomicAdd(T* address, V value) {
  return ft_host_atomic_add(address, value);
}

#define FT_HOST_VECTOR(type, base, count, ...)                            \
  struct __attribute__((may_alias, aligned(sizeof(base) * count))) type { \
    base __VA_ARGS__;                                                     \
  };
FT_HOST_VECTOR(uint2, unsigned, 2, x, y)
FT_HOST_VECTOR(uint4, unsigned, 4, x, y, z, w)
FT_HOST_VECTOR(int2, int, 2, x, y)
FT_HOST_VECTOR(int4, int, 4, x, y, z, w)
FT_HOST_VECTOR(float2, float, 2, x, y)
FT_HOST_VECTOR(float4, float, 4, x, y, z, w)
FT_HOST_VECTOR(ushort2, unsigned short, 2, x, y)
FT_HOST_VECTOR(ushort4, unsigned short, 4, x, y, z, w)
#undef FT_HOST_VECTOR

extern "C" {
float expf(float);
float exp2f(float);
float logf(float);
float log2f(float);
float powf(float, float);
float tanhf(float);
float sinf(float);
float cosf(float);
float sqrtf(float);
float fabsf(float);
float fmaxf(float, float);
float fminf(float, float);
float fmaf(float, float, float);
}
static inline float rsqrtf(float x) { return 1.0f / __builtin_sqrtf(x); }
static inline float __expf(float x) { return expf(x); }

template <typename T>
static inline T min(T a, T b) {
  return b < a ? b : a;
}
template <typename T>
static inline T max(T a, T b) {
  return a < b ? b : a;
}

// ---- Entry points ---------------------------------------------------------------------------

template <typename T>
static constexpr unsigned char ft_host_kind_of = sizeof(T) == 8 ? ft_host_i64 : ft_host_other;
template <typename T>
static constexpr unsigned char ft_host_kind_of<T*> = ft_host_pointer;
template <typename T>
static constexpr unsigned char ft_host_kind_of<T* __restrict__> = ft_host_pointer;
template <>
constexpr unsigned char ft_host_kind_of<double> = ft_host_other;
template <>
constexpr unsigned char ft_host_kind_of<int> = ft_host_i32;
template <>
constexpr unsigned char ft_host_kind_of<unsigned> = ft_host_i32;
template <>
constexpr unsigned char ft_host_kind_of<float> = ft_host_f32;

template <typename T>
static inline __attribute__((always_inline)) T ft_host_argument(const unsigned long long* slot) {
  static_assert(sizeof(T) <= 8, "kernel arguments are at most 8 bytes");
#ifdef FT_HOST_EXACT
  unsigned long long bits;
  asm volatile("movq %1, %0" : "=r"(bits) : "m"(*slot));
  union {
    unsigned long long bits;
    T value;
  } slot_value = {bits};
  return slot_value.value;
#else
  T value;
  __builtin_memcpy(&value, slot, sizeof(T));
  return value;
#endif
}

#ifdef FT_HOST_EXACT
static inline void ft_host_become(const ft_host_dim* thread) {
  asm volatile(
      "movq (%1), %%rax\n\t"
      "movq %%rax, (%0)\n\t"
      "movl 8(%1), %%eax\n\t"
      "movl %%eax, 8(%0)\n\t"
      :
      : "r"(&threadIdx), "r"(thread)
      : "rax", "memory");
}
#endif

template <int... I>
struct ft_host_indices {};
template <int N, int... I>
struct ft_host_count : ft_host_count<N - 1, N - 1, I...> {};
template <int... I>
struct ft_host_count<0, I...> {
  typedef ft_host_indices<I...> type;
};

/// Takes a kernel's parameters from its type, so that scalars need no declaration besides.
template <typename F>
struct ft_host_signature;
template <typename... P>
struct ft_host_signature<void(P...)> {
  static constexpr int count = sizeof...(P);
  static constexpr unsigned char kinds[sizeof...(P) + 1] = {ft_host_kind_of<P>..., 0};

  template <void (*KERNEL)(P...), int... I>
  static inline __attribute__((always_inline)) void run(const unsigned long long* arguments,
                                                        const ft_host_dim* threads,
                                                        int thread_count, ft_host_indices<I...>) {
#ifdef FT_HOST_EXACT
    for (int i = 0; i < thread_count; ++i) {
      ft_host_become(threads + i);
      run_one<KERNEL, I...>(arguments);
    }
  }
  /// Not inlined: within it threadIdx is a constant, from one to the next it is not.
  template <void (*KERNEL)(P...), int... I>
  static __attribute__((noinline)) void run_one(const unsigned long long* arguments) {
    asm volatile("" : : : "memory");
    KERNEL(ft_host_argument<P>(arguments + I)...);
  }
#else
    for (int i = 0; i < thread_count; ++i) {
      threadIdx = threads[i];
      KERNEL(ft_host_argument<P>(arguments + I)...);
    }
  }
#endif
};

#define FT_HOST_ENTRY(kernel)                                                                   \
  extern "C" __attribute__((visibility("default"))) void ft_host_run_##kernel(                  \
      const unsigned long long* arguments, const ft_host_dim* threads, int count) {             \
    typedef ft_host_signature<decltype(kernel)> signature;                                      \
    signature::run<kernel>(arguments, threads, count, ft_host_count<signature::count>::type{}); \
  }                                                                                             \
  extern "C" __attribute__((visibility("default"))) const ft_host_entry ft_host_entry_##kernel; \
  const ft_host_entry ft_host_entry_##kernel = {ft_host_run_##kernel,                           \
                                                ft_host_signature<decltype(kernel)>::count,     \
                                                ft_host_signature<decltype(kernel)>::kinds};
