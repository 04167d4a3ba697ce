// The family of the simulated device: contiguous rows of qkvz and ba, split. The simulated device
// has these entries built in; on the others they are compiled from here.
#include "ft.h"

FT_DEVICE void move_row(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 row) {
  const ft_u16 *in = static_cast<const ft_u16 *>(qkvz) + row * (FT_QKV_WIDTH + FT_Z_WIDTH);
  const ft_u16 *gates = static_cast<const ft_u16 *>(ba) + row * 2 * FT_NV;
  const int thread = static_cast<int>(threadIdx.x);
  for (int first = thread * FT_CHUNK; first < FT_QKV_WIDTH + FT_Z_WIDTH; first += FT_BLOCK_SIZE * FT_CHUNK)
    for (int step = 0; step < FT_CHUNK; ++step) {
#if FT_ORDER == FT_ORDER_BACKWARD
      const int i = first + FT_CHUNK - 1 - step;
#else
      const int i = first + step;
#endif
      if (i < FT_QKV_WIDTH)
        static_cast<ft_u16 *>(mixed_qkv)[row * FT_QKV_WIDTH + i] = in[i];
      else if (i < FT_QKV_WIDTH + FT_Z_WIDTH)
        static_cast<ft_u16 *>(z)[row * FT_Z_WIDTH + i - FT_QKV_WIDTH] = in[i];
    }
  for (int i = thread; i < FT_NV; i += FT_BLOCK_SIZE) {
    static_cast<ft_u16 *>(b)[row * FT_NV + i] = gates[i];
    static_cast<ft_u16 *>(a)[row * FT_NV + i] = gates[FT_NV + i];
  }
}

FT_KERNEL(FT_BLOCK_SIZE)
void simulated_rows(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  for (int i = 0; i < FT_ROWS_PER_ITER; ++i) {
    const ft_i64 row = static_cast<ft_i64>(blockIdx.x) * FT_ROWS_PER_ITER + i;
    if (row < tokens) move_row(qkvz, ba, mixed_qkv, z, b, a, row);
  }
}

FT_KERNEL(FT_BLOCK_SIZE)
void simulated_rows_plain(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  const ft_i64 row = static_cast<ft_i64>(blockIdx.x);
  if (row < tokens) move_row(qkvz, ba, mixed_qkv, z, b, a, row);
}
