// Rows are turned through shared memory and added up on the way, one launch.
#include "ft.h"

namespace {

constexpr int kRow = FT_HEADS * FT_WIDTH;
constexpr int kVectors = kRow / 8;
constexpr int kWaves = FT_BLOCK_SIZE / FT_WAVE_SIZE;

// A row as it comes, by `threads` threads of which this is number `self`.
FT_DEVICE void stage(const char *row, ft_vec<16> *tile, int self, int threads) {
  for (int i = self; i < kVectors; i += threads) tile[i] = ft_load<16>(row + 16 * i);
}

// The staged row, turned. Returns the sum of what this thread moved.
FT_DEVICE ft_u32 turn(const ft_vec<16> *tile, ft_u16 *turned, int self, int threads) {
  const ft_u16 *const elements = reinterpret_cast<const ft_u16 *>(tile);
  ft_u32 sum = 0;
  for (int i = self; i < kRow; i += threads) {
    const ft_u16 element = elements[(i % FT_HEADS) * FT_WIDTH + i / FT_HEADS];
    turned[i] = element;
    sum += element;
  }
  return sum;
}

FT_DEVICE ft_u32 wave_sum(ft_u32 sum) {
  for (int mask = FT_WAVE_SIZE / 2; mask > 0; mask /= 2) sum += ft_shfl_xor(sum, mask);
  return sum;
}

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void staged_rows(const void *x, ft_i64 x_row_stride, void *turned, void *sums, void *seen, ft_i64 tokens) {
  const ft_i64 begin = static_cast<ft_i64>(blockIdx.x) * FT_ROWS_PER_ITER;
  const ft_i64 end = begin + FT_ROWS_PER_ITER < tokens ? begin + FT_ROWS_PER_ITER : tokens;
  const char *const in = static_cast<const char *>(x);
  ft_u16 *const out = static_cast<ft_u16 *>(turned);
  ft_u32 *const totals = static_cast<ft_u32 *>(sums);
  ft_u32 *const all_calls = static_cast<ft_u32 *>(seen);
  const int thread = ft_thread();
#if FT_STAGING == FT_STAGING_BLOCK
  FT_SHARED ft_vec<16> tile[kVectors];
  FT_SHARED ft_u32 partial[kWaves];
  for (ft_i64 row = begin; row < end; ++row) {
    stage(in + row * x_row_stride * 2, tile, thread, FT_BLOCK_SIZE);
    ft_block_sync();  // the row is staged
    const ft_u32 sum = wave_sum(turn(tile, out + row * kRow, thread, FT_BLOCK_SIZE));
    if (ft_lane() == 0) partial[ft_wave()] = sum;
    ft_block_sync();  // the row is turned
    if (thread == 0) {
      ft_u32 total = 0;
      for (int wave = 0; wave < kWaves; ++wave) total += partial[wave];
      totals[row] = total;
      all_calls[row] += total;
    }
  }
#else
  FT_SHARED ft_vec<16> tiles[kWaves][kVectors];
  ft_vec<16> *const tile = tiles[ft_wave()];
  for (ft_i64 row = begin + ft_wave(); row < end; row += kWaves) {
    stage(in + row * x_row_stride * 2, tile, ft_lane(), FT_WAVE_SIZE);
    ft_wave_sync();  // the row is staged
    const ft_u32 sum = wave_sum(turn(tile, out + row * kRow, ft_lane(), FT_WAVE_SIZE));
    if (ft_lane() == 0) {
      totals[row] = sum;
      all_calls[row] += sum;
    }
    ft_wave_sync();  // the row is turned
  }
#endif
}
