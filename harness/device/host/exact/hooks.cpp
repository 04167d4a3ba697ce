// What instrumented modules import: the names are the compilers', made for another runtime.
#include "harness/device/host/exact/exact_runtime.hpp"

namespace fusetune {

constinit thread_local ExactRuntime* exact_runtime = nullptr;

namespace {

template <int N, Access ACCESS>
inline __attribute__((always_inline)) void see(const volatile void* address, const void* site) {
  if (exact_runtime != nullptr)
    exact_runtime->access<N, ACCESS>(reinterpret_cast<std::uintptr_t>(address),
                                     reinterpret_cast<std::uintptr_t>(site));
}

inline void see_range(const void* address, std::size_t bytes, bool write, const void* site) {
  if (exact_runtime != nullptr)
    exact_runtime->range(reinterpret_cast<std::uintptr_t>(address), bytes, write,
                         reinterpret_cast<std::uintptr_t>(site));
}

template <Access ACCESS, typename T>
inline void see_atomic(const volatile T* address, const void* site) {
  if (exact_runtime == nullptr) return;
  exact_runtime->check_alignment(reinterpret_cast<std::uintptr_t>(address), sizeof(T),
                                 reinterpret_cast<std::uintptr_t>(site));
  see<sizeof(T), ACCESS>(address, site);
}

template <typename T>
inline T exchange_if(volatile T* address, T expected, T desired, const void* site) {
  see_atomic<Access::atomic_change>(address, site);
  const T old = *address;
  if (old == expected) *address = desired;
  return old;
}

template <typename T>
inline int exchange_if(volatile T* address, T* expected, T desired, const void* site) {
  const T old = exchange_if(address, *expected, desired, site);
  if (old == *expected) return 1;
  *expected = old;
  return 0;
}

// How the compilers describe a check that failed; theirs to lay out.
struct SourceLocation {
  const char* file;
  std::uint32_t line, column;
};
struct TypeName {
  std::uint16_t kind, info;
  char name[1];
};
struct TypeMismatch {
  SourceLocation location;
  const TypeName* type;
  std::uint8_t alignment_log2, access;
};
struct IndexOutside {
  SourceLocation location;
  const TypeName* array;
  const TypeName* index;
};

}  // namespace
}  // namespace fusetune

using namespace fusetune;

// NOLINTBEGIN(bugprone-reserved-identifier, bugprone-macro-parentheses): names that are not ours.

#define FT_SITE __builtin_return_address(0)

#define FT_ACCESS(name, bytes, access) \
  void __tsan_##name##bytes(void* address) { see<bytes, Access::access>(address, FT_SITE); }
#define FT_ACCESSES(bytes)                        \
  FT_ACCESS(read, bytes, read)                    \
  FT_ACCESS(write, bytes, write)                  \
  FT_ACCESS(volatile_read, bytes, read)           \
  FT_ACCESS(volatile_write, bytes, write)         \
  FT_ACCESS(unaligned_read, bytes, read)          \
  FT_ACCESS(unaligned_write, bytes, write)        \
  FT_ACCESS(unaligned_volatile_read, bytes, read) \
  FT_ACCESS(unaligned_volatile_write, bytes, write)

// Blocks run one after the other on one thread, so plain operations are atomic.
#define FT_ATOMIC_CHANGE(bits, type, name, result)                             \
  type __tsan_atomic##bits##_##name(volatile type* address, type value, int) { \
    see_atomic<Access::atomic_change>(address, FT_SITE);                       \
    const type old = *address;                                                 \
    *address = static_cast<type>(result);                                      \
    return old;                                                                \
  }
#define FT_ATOMICS(bits, type)                                                              \
  type __tsan_atomic##bits##_load(const volatile type* address, int) {                      \
    see_atomic<Access::atomic_load>(address, FT_SITE);                                      \
    return *address;                                                                        \
  }                                                                                         \
  void __tsan_atomic##bits##_store(volatile type* address, type value, int) {               \
    see_atomic<Access::atomic_store>(address, FT_SITE);                                     \
    *address = value;                                                                       \
  }                                                                                         \
  FT_ATOMIC_CHANGE(bits, type, exchange, value)                                             \
  FT_ATOMIC_CHANGE(bits, type, fetch_add, old + value)                                      \
  FT_ATOMIC_CHANGE(bits, type, fetch_sub, old - value)                                      \
  FT_ATOMIC_CHANGE(bits, type, fetch_and, old& value)                                       \
  FT_ATOMIC_CHANGE(bits, type, fetch_or, old | value)                                       \
  FT_ATOMIC_CHANGE(bits, type, fetch_xor, old ^ value)                                      \
  FT_ATOMIC_CHANGE(bits, type, fetch_nand, ~(old & value))                                  \
  type __tsan_atomic##bits##_compare_exchange_val(volatile type* address, type expected,    \
                                                  type desired, int, int) {                 \
    return exchange_if(address, expected, desired, FT_SITE);                                \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile type* address, type* expected, \
                                                    type desired, int, int) {               \
    return exchange_if(address, expected, desired, FT_SITE);                                \
  }                                                                                         \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile type* address, type* expected,   \
                                                  type desired, int, int) {                 \
    return exchange_if(address, expected, desired, FT_SITE);                                \
  }

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

FT_ACCESSES(1)
FT_ACCESSES(2)
FT_ACCESSES(4)
FT_ACCESSES(8)
FT_ACCESSES(16)

void __tsan_read_range(void* address, unsigned long bytes) {
  see_range(address, bytes, false, FT_SITE);
}
void __tsan_write_range(void* address, unsigned long bytes) {
  see_range(address, bytes, true, FT_SITE);
}
void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
  see_range(from, bytes, false, FT_SITE);
  see_range(to, bytes, true, FT_SITE);
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
  see_range(from, bytes, false, FT_SITE);
  see_range(to, bytes, true, FT_SITE);
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, std::size_t bytes) {
  see_range(to, bytes, true, FT_SITE);
  return std::memset(to, value, bytes);
}

FT_ATOMICS(8, std::uint8_t)
FT_ATOMICS(16, std::uint16_t)
FT_ATOMICS(32, std::uint32_t)
FT_ATOMICS(64, std::uint64_t)

void ft_host_exact_atomic(void* address, int bytes, void* site) {
  if (bytes == 2) see_atomic<Access::atomic_change>(static_cast<std::uint16_t*>(address), site);
  if (bytes == 4) see_atomic<Access::atomic_change>(static_cast<std::uint32_t*>(address), site);
  if (bytes == 8) see_atomic<Access::atomic_change>(static_cast<std::uint64_t*>(address), site);
}

void ft_host_exact_range(const void* address, unsigned long bytes, int write) {
  see_range(address, bytes, write != 0, FT_SITE);
}

void __ubsan_handle_type_mismatch_v1_abort(const TypeMismatch* check, std::uintptr_t address) {
  if (exact_runtime == nullptr) __builtin_trap();
  exact_runtime->fail_misaligned(address, std::size_t{1} << check->alignment_log2,
                                 check->access == 1, reinterpret_cast<std::uintptr_t>(FT_SITE));
}
void __ubsan_handle_out_of_bounds_abort(const IndexOutside* check, std::uintptr_t index) {
  if (exact_runtime == nullptr) __builtin_trap();
  exact_runtime->fail_index(static_cast<std::int64_t>(index), check->array->name,
                            reinterpret_cast<std::uintptr_t>(FT_SITE));
}
}

// NOLINTEND(bugprone-reserved-identifier, bugprone-macro-parentheses)
