// One element per thread and step, with a fault of the variant's choice.
#include "ft.h"

#if FT_FAULT == FT_FAULT_WEARS_OUT || FT_FAULT == FT_FAULT_DIES_LATE || FT_FAULT == FT_FAULT_HANGS_LATE
// A proof takes a dozen launches, the shortest race some hundreds.
#define FT_FAULT_LAUNCHES 60
static __device__ int launches = 0;
#elif FT_FAULT == FT_FAULT_BEGINS_SLOWLY
static __device__ int launches = 0;
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void faulty_rows(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  const ft_i64 row = blockIdx.x;
  const ft_u16 *in = static_cast<const ft_u16 *>(qkvz) + row * (FT_QKV_WIDTH + FT_Z_WIDTH);
  const ft_u16 *gates = static_cast<const ft_u16 *>(ba) + row * 2 * FT_NV;
  ft_u16 *qkv = static_cast<ft_u16 *>(mixed_qkv) + row * FT_QKV_WIDTH;
  ft_u16 *z_row = static_cast<ft_u16 *>(z) + row * FT_Z_WIDTH;
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < FT_QKV_WIDTH; i += FT_BLOCK_SIZE) {
#if FT_FAULT == FT_FAULT_WRONG_HEAD
    qkv[i] = in[i < FT_HK ? i + FT_HK : i];
#else
    qkv[i] = in[i];
#endif
  }
  for (int i = thread; i < FT_Z_WIDTH; i += FT_BLOCK_SIZE) z_row[i] = in[FT_QKV_WIDTH + i];
  for (int i = thread; i < FT_NV; i += FT_BLOCK_SIZE) {
    static_cast<ft_u16 *>(b)[row * FT_NV + i] = gates[i];
    static_cast<ft_u16 *>(a)[row * FT_NV + i] = gates[FT_NV + i];
  }
#if FT_FAULT == FT_FAULT_DOES_NOT_COMPILE
  this is no kernel;
#elif FT_FAULT == FT_FAULT_LOOPS_FOREVER
  // Reads of memory are not optimised away, as a loop over a local variable is for some targets.
  const volatile ft_u16 *word = in;
  for (;;) (void)*word;
#elif FT_FAULT == FT_FAULT_WRITES_OUT_OF_BOUNDS
  if (row == tokens - 1 && thread == 0) static_cast<ft_u16 *>(z)[tokens * FT_Z_WIDTH] = 1;
#elif FT_FAULT == FT_FAULT_WEARS_OUT
  // Right for as long as a proof takes, wrong once it has been timed.
  if (row == 0 && thread == 0 && ++launches > FT_FAULT_LAUNCHES) z_row[0] = 1;
#elif FT_FAULT == FT_FAULT_DIES_LATE
  if (row == 0 && thread == 0 && ++launches > FT_FAULT_LAUNCHES) *reinterpret_cast<volatile ft_u16 *>(16) = 1;
#elif FT_FAULT == FT_FAULT_HANGS_LATE
  volatile int late = row == 0 && thread == 0 && ++launches > FT_FAULT_LAUNCHES;
  while (late) {
  }
#elif FT_FAULT == FT_FAULT_BEGINS_SLOWLY
  // Right, but the first launch takes some tenths of a second.
  if (row == 0 && thread == 0 && ++launches == 1)
    for (volatile int i = 0; i < 300000000;) i = i + 1;
#elif FT_FAULT == FT_FAULT_CRASHES
  if (thread == 0) *reinterpret_cast<volatile ft_u16 *>(16) = 1;
#endif
  (void)tokens;
}
