// Weights and scales in one launch: every chunk is loaded and stored once. No LDS, no barrier.
#include "ft.h"
#include "rows.h"

FT_KERNEL(FT_BLOCK_SIZE)
void gdn_weight_deinterleave(const void* __restrict__ w, ft_i64 w_row_stride,
#if FT_HAS_SCALE
                             const void* __restrict__ scale, ft_i64 scale_row_stride,
#endif
#if FT_HAS_INPUT_SCALE
                             const void* __restrict__ input_scale,
#endif
                             const void* __restrict__ mark, void* __restrict__ w_out,
                             ft_i64 w_out_row_stride,
#if FT_HAS_SCALE
                             void* __restrict__ scale_out, ft_i64 scale_out_row_stride,
#endif
#if FT_HAS_INPUT_SCALE
                             void* __restrict__ input_scale_out,
#endif
                             void* __restrict__ mark_out, ft_i64 nk, ft_i64 columns, ft_i64 ranks,
                             ft_i64 rank) {
  const int passes = passes_of(mark);
  const Shard shard = shard_of(nk, ranks, rank);

  const Checkpoint<1> weights = {static_cast<const char*>(w), w_row_stride * FT_BYTES_WEIGHT, shard,
                                 passes != 0};
  const WeightRows rows = {static_cast<char*>(w_out), w_out_row_stride * FT_BYTES_WEIGHT,
                           shard.heads * FT_HEAD_ROWS, weight_row_bytes(columns)};
#if FT_MAPPING == FT_MAPPING_WAVES
  move_by_waves<FT_VECTOR_BYTES, FT_BYTES_WEIGHT, FT_BLOCK_SIZE, FT_ROWS_PER_ITER>(weights, rows);
#else
  move_line<FT_VECTOR_BYTES, FT_BYTES_WEIGHT, FT_BLOCK_SIZE, FT_ROWS_PER_ITER>(weights, rows);
#endif

#if FT_HAS_SCALE && FT_SCALE_KIND != FT_SCALE_KIND_TENSOR
  const Checkpoint<FT_SCALE_UNIT> scales = {static_cast<const char*>(scale),
                                            scale_row_stride * FT_BYTES_SCALE, shard, passes != 0};
  const WeightRows scale_rows = {static_cast<char*>(scale_out),
                                 scale_out_row_stride * FT_BYTES_SCALE,
                                 shard.heads * FT_HEAD_SCALE_ROWS, scale_row_bytes(columns)};
  move_line<FT_SCALE_VECTOR_BYTES, FT_BYTES_SCALE, FT_BLOCK_SIZE, 1>(scales, scale_rows);
#endif

  if (blockIdx.x != 0 || threadIdx.x != 0) return;
#if FT_HAS_SCALE && FT_SCALE_KIND == FT_SCALE_KIND_TENSOR
  repeat_scale<FT_BYTES_SCALE>(scale, scale_out, scale_out_row_stride, kTensorScales);
#endif
#if FT_HAS_INPUT_SCALE
  repeat_scale<4>(input_scale, input_scale_out, 1, 1);
#endif
  set_passes(mark_out, passes + 1);
}
