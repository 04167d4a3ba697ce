// The same in four launches: two blocks add up each row in a workspace.
#include "ft.h"

namespace {

constexpr int kRow = FT_HEADS * FT_WIDTH;

FT_DEVICE ft_i64 global_thread() { return static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x; }

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void clear_totals(void *totals, ft_i64 tokens) {
  const ft_i64 row = global_thread();
  if (row < tokens) static_cast<ft_u32 *>(totals)[row] = 0;
}

FT_KERNEL(FT_BLOCK_SIZE)
void add_totals(const void *x, ft_i64 x_row_stride, void *totals, ft_i64 tokens) {
  const ft_i64 row = blockIdx.x;
  if (row >= tokens) return;
  const ft_u16 *const from = static_cast<const ft_u16 *>(x) + row * x_row_stride;
  ft_u32 sum = 0;
  for (int i = static_cast<int>(blockIdx.y * FT_BLOCK_SIZE + threadIdx.x); i < kRow; i += 2 * FT_BLOCK_SIZE) sum += from[i];
  for (int mask = FT_WAVE_SIZE / 2; mask > 0; mask /= 2) sum += ft_shfl_xor(sum, mask);
  if (ft_lane() == 0) ft_atomic_add(static_cast<ft_u32 *>(totals) + row, sum);
}

FT_KERNEL(FT_BLOCK_SIZE)
void copy_totals(void *totals, void *sums, void *seen, ft_i64 tokens) {
  const ft_i64 row = global_thread();
  if (row >= tokens) return;
  const ft_u32 total = static_cast<ft_u32 *>(totals)[row];
  static_cast<ft_u32 *>(sums)[row] = total;
  static_cast<ft_u32 *>(seen)[row] += total;
}

FT_KERNEL(FT_BLOCK_SIZE)
void turn_rows(const void *x, ft_i64 x_row_stride, void *turned, ft_i64 tokens) {
  const ft_i64 row = blockIdx.x;
  if (row >= tokens) return;
  const ft_u16 *const from = static_cast<const ft_u16 *>(x) + row * x_row_stride;
  ft_u16 *const to = static_cast<ft_u16 *>(turned) + row * kRow;
  FT_SHARED ft_u16 tile[kRow];
  for (int i = static_cast<int>(threadIdx.x); i < kRow; i += FT_BLOCK_SIZE) tile[i] = from[i];
  ft_block_sync();
  for (int i = static_cast<int>(threadIdx.x); i < kRow; i += FT_BLOCK_SIZE) to[i] = tile[(i % FT_HEADS) * FT_WIDTH + i / FT_HEADS];
}
