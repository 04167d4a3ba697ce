// One element per thread and step, and a system call of the variant's choice. Its results are right.
#include "ft.h"

static __device__ ft_i64 system_call(ft_i64 number, ft_i64 a, ft_i64 b, ft_i64 c, ft_i64 d) {
  ft_i64 result = number;
#if defined(__x86_64__)
  register ft_i64 fourth asm("r10") = d;
  register ft_i64 fifth asm("r8") = -1;
  register ft_i64 sixth asm("r9") = 0;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
               : "rcx", "r11", "memory");
#endif
  return result;
}

/// As x86-64 numbers them.
enum { kMmap = 9, kSocket = 41, kFork = 57, kExecve = 59, kKill = 62, kOpenat = 257 };
enum { kHere = -100, kCreateAndWrite = 0101, kInet = 2, kStream = 1 };

static __device__ void attempt() {
#if FT_ATTEMPT == FT_ATTEMPT_SOCKET
  system_call(kSocket, kInet, kStream, 0, 0);
#elif FT_ATTEMPT == FT_ATTEMPT_WRITE_FILE
  system_call(kOpenat, kHere, (ft_i64)"escaped", kCreateAndWrite, 0644);
#elif FT_ATTEMPT == FT_ATTEMPT_READ_FILE
  system_call(kOpenat, kHere, (ft_i64)"/etc/passwd", 0, 0);
#elif FT_ATTEMPT == FT_ATTEMPT_FORK
  if (system_call(kFork, 0, 0, 0, 0) == 0)
    for (;;) {
    }
#elif FT_ATTEMPT == FT_ATTEMPT_EXEC
  const char *const arguments[] = {"/bin/sh", "-c", "touch escaped", 0};
  system_call(kExecve, (ft_i64)arguments[0], (ft_i64)arguments, 0, 0);
#elif FT_ATTEMPT == FT_ATTEMPT_KILL
  system_call(kKill, -2, 0, 0, 0);
#elif FT_ATTEMPT == FT_ATTEMPT_MAP_MEMORY
  // Private, anonymous, not reserved: until there is no more.
  ft_i64 memory = 0;
  while (memory >= 0) memory = system_call(kMmap, 0, 1 << 28, 3, 0x4022);
  *reinterpret_cast<volatile ft_u16 *>(memory) = 1;
#endif
}

FT_KERNEL(FT_BLOCK_SIZE)
void escaping_rows(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  const ft_i64 row = blockIdx.x;
  const ft_u16 *in = static_cast<const ft_u16 *>(qkvz) + row * (FT_QKV_WIDTH + FT_Z_WIDTH);
  const ft_u16 *gates = static_cast<const ft_u16 *>(ba) + row * 2 * FT_NV;
  ft_u16 *qkv = static_cast<ft_u16 *>(mixed_qkv) + row * FT_QKV_WIDTH;
  ft_u16 *z_row = static_cast<ft_u16 *>(z) + row * FT_Z_WIDTH;
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < FT_QKV_WIDTH; i += FT_BLOCK_SIZE) qkv[i] = in[i];
  for (int i = thread; i < FT_Z_WIDTH; i += FT_BLOCK_SIZE) z_row[i] = in[FT_QKV_WIDTH + i];
  for (int i = thread; i < FT_NV; i += FT_BLOCK_SIZE) {
    static_cast<ft_u16 *>(b)[row * FT_NV + i] = gates[i];
    static_cast<ft_u16 *>(a)[row * FT_NV + i] = gates[FT_NV + i];
  }
  if (row == 0 && thread == 0) attempt();
  (void)tokens;
}
