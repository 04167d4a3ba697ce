#pragma once
// What a kernel module for the host and the runtime that runs it agree on. Compiled into both, so
// it is plain C and includes nothing.

#define FT_HOST_ABI 1

/// threadIdx and its kin.
struct ft_host_dim {
  unsigned x, y, z;
};

/// Where to go on: save the stack pointer of this fibre in *save and take the other. Nothing to do
/// when `to` is null.
struct ft_host_switch {
  void** save;
  void* to;
};

/// How a kernel's parameter is passed.
enum ft_host_kind {
  ft_host_pointer = 0,
  ft_host_i64 = 1,
  ft_host_i32 = 2,
  ft_host_f32 = 3,
  ft_host_other = 4
};

/// Exported per kernel as ft_host_entry_<name>.
struct ft_host_entry {
  /// Runs the kernel for `count` threads one after the other. Arguments lie in 8-byte slots.
  void (*run)(const unsigned long long* arguments, const struct ft_host_dim* threads, int count);
  int argument_count;
  const unsigned char* kinds;
};

/// Exported once per module as ft_host_module.
struct ft_host_module {
  int abi;
  int wave_size;
  struct ft_host_dim* thread_idx;
  struct ft_host_dim* block_idx;
  struct ft_host_dim* block_dim;
  struct ft_host_dim* grid_dim;
  void** dynamic_shared;
  /// What the wave operation that a fibre returns from gives it.
  unsigned long long* result;
};

/// The runtime's side, imported by modules that need fibres. Each tells where to go on.
#ifdef __cplusplus
extern "C" {
#endif
struct ft_host_switch ft_host_at_barrier(int line);
struct ft_host_switch ft_host_at_wave_sync(int line);
struct ft_host_switch ft_host_at_ballot(unsigned long long predicate, int line);
struct ft_host_switch ft_host_at_shuffle(unsigned long long value, int source_lane, int line);
/// Called by instrumented modules before an atomic operation, which reads and writes. `site` is
/// where the kernel called for it.
void ft_host_exact_atomic(void* address, int bytes, void* site);
/// Called before copies of which the compiler does not tell.
void ft_host_exact_range(const void* address, unsigned long bytes, int write);
#ifdef __cplusplus
}
#endif
