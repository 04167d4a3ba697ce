// Rows of qkvz and ba, split, after work that takes time and changes nothing: a kernel that can be
// made slower by a known share.
#include "ft.h"

#define WORK_STEPS 2000

FT_DEVICE void work(unsigned value) {
  for (int i = 0; i < WORK_STEPS; ++i) value = value * 1664525u + 1013904223u;
  volatile unsigned done = value;
  (void)done;
}

FT_DEVICE void move_row(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 row) {
  const ft_u16 *in = static_cast<const ft_u16 *>(qkvz) + row * (FT_QKV_WIDTH + FT_Z_WIDTH);
  const ft_u16 *gates = static_cast<const ft_u16 *>(ba) + row * 2 * FT_NV;
  const int thread = static_cast<int>(threadIdx.x);
  work(static_cast<unsigned>(thread) + in[0]);
  for (int i = thread; i < FT_QKV_WIDTH + FT_Z_WIDTH; i += FT_BLOCK_SIZE) {
    if (i < FT_QKV_WIDTH)
      static_cast<ft_u16 *>(mixed_qkv)[row * FT_QKV_WIDTH + i] = in[i];
    else
      static_cast<ft_u16 *>(z)[row * FT_Z_WIDTH + i - FT_QKV_WIDTH] = in[i];
  }
  for (int i = thread; i < FT_NV; i += FT_BLOCK_SIZE) {
    static_cast<ft_u16 *>(b)[row * FT_NV + i] = gates[i];
    static_cast<ft_u16 *>(a)[row * FT_NV + i] = gates[FT_NV + i];
  }
}

FT_KERNEL(FT_BLOCK_SIZE)
void worked_rows(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  for (int i = 0; i < FT_ROWS_PER_ITER; ++i) {
    const ft_i64 row = static_cast<ft_i64>(blockIdx.x) * FT_ROWS_PER_ITER + i;
    if (row < tokens) move_row(qkvz, ba, mixed_qkv, z, b, a, row);
  }
}
