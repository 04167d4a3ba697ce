// The baseline: a copy launch per part of weights and of scales, as a loader issues them with a
// framework.
#include "ft.h"
#include "rows.h"

// The `size` rows per k head of a part behind `before` of others. WHERE is the tensor that holds
// it; rows of the second one are counted on.
#define WEIGHT_PART(entry, WHERE, before, size)                                              \
  FT_KERNEL(FT_BLOCK_SIZE)                                                                   \
  void entry(const void* __restrict__ w, ft_i64 w_row_stride, const void* __restrict__ mark, \
             void* __restrict__ w_out, ft_i64 w_out_row_stride, ft_i64 nk, ft_i64 columns,   \
             ft_i64 ranks, ft_i64 rank) {                                                    \
    typedef PartRows<1> Rows;                                                                \
    Checkpoint<1> from = {{}, {}, shard_of(nk, ranks, rank, passes_of(mark) != 0)};          \
    from.WHERE = matrix_of(w, w_row_stride * FT_BYTES_WEIGHT);                               \
    copy_rows<FT_VECTOR_BYTES_MAX, FT_BYTES_WEIGHT, FT_BLOCK_SIZE>(                          \
        from,                                                                                \
        {static_cast<char*>(w_out), w_out_row_stride * FT_BYTES_WEIGHT, 0,                   \
         weight_row_bytes(columns)},                                                         \
        from.shard.heads * (before), from.shard.heads * (size));                             \
  }
#define SCALE_PART(entry, WHERE, before, size)                                                    \
  FT_KERNEL(FT_BLOCK_SIZE)                                                                        \
  void entry(const void* __restrict__ scale, ft_i64 scale_row_stride,                             \
             const void* __restrict__ mark, void* __restrict__ scale_out,                         \
             ft_i64 scale_out_row_stride, ft_i64 nk, ft_i64 columns, ft_i64 ranks, ft_i64 rank) { \
    typedef PartRows<FT_SCALE_UNIT> Rows;                                                         \
    Checkpoint<FT_SCALE_UNIT> from = {{}, {}, shard_of(nk, ranks, rank, passes_of(mark) != 0)};   \
    from.WHERE = matrix_of(scale, scale_row_stride * FT_BYTES_SCALE);                             \
    copy_rows<FT_SCALE_VECTOR_BYTES, FT_BYTES_SCALE, FT_BLOCK_SIZE>(                              \
        from,                                                                                     \
        {static_cast<char*>(scale_out), scale_out_row_stride * FT_BYTES_SCALE, 0,                 \
         scale_row_bytes(columns)},                                                               \
        from.shard.heads * (before), from.shard.heads * (size));                                  \
  }

#if FT_CHECKPOINT == FT_CHECKPOINT_SPLIT
#define LAST second
#else
#define LAST first
#endif

#if FT_PROJECTION == FT_PROJECTION_QKVZ
WEIGHT_PART(copy_q, first, 0, Rows::kQ)
WEIGHT_PART(copy_k, first, Rows::kQ, Rows::kQ)
WEIGHT_PART(copy_v, first, 2 * Rows::kQ, Rows::kV)
WEIGHT_PART(copy_z, LAST, 2 * Rows::kQ + Rows::kV, Rows::kV)
#else
WEIGHT_PART(copy_b, first, 0, FT_RATIO)
WEIGHT_PART(copy_a, LAST, FT_RATIO, FT_RATIO)
#endif

#if FT_HAS_SCALE && FT_SCALE_KIND == FT_SCALE_KIND_TENSOR
FT_KERNEL(FT_BLOCK_SIZE)
void copy_tensor_scale(const void* __restrict__ scale, ft_i64,
                       SECOND(const void* __restrict__ scale_second,
                              ft_i64, ) void* __restrict__ scale_out,
                       ft_i64 scale_out_row_stride) {
#if FT_CHECKPOINT == FT_CHECKPOINT_PACKED
  const void* const scale_second = nullptr;
#endif
  if (threadIdx.x == 0)
    repeat_scales<FT_BYTES_SCALE>(scale, scale_second, scale_out, scale_out_row_stride);
}
#elif FT_HAS_SCALE
#if FT_PROJECTION == FT_PROJECTION_QKVZ
SCALE_PART(scale_q, first, 0, Rows::kQ)
SCALE_PART(scale_k, first, Rows::kQ, Rows::kQ)
SCALE_PART(scale_v, first, 2 * Rows::kQ, Rows::kV)
SCALE_PART(scale_z, LAST, 2 * Rows::kQ + Rows::kV, Rows::kV)
#else
SCALE_PART(scale_b, first, 0, FT_RATIO)
SCALE_PART(scale_a, LAST, FT_RATIO, FT_RATIO)
#endif
#endif

#if FT_HAS_INPUT_SCALE
FT_KERNEL(FT_BLOCK_SIZE)
void copy_input_scale(
    const void* __restrict__ input_scale,
    SECOND(const void* __restrict__ input_scale_second, ) void* __restrict__ input_scale_out) {
#if FT_CHECKPOINT == FT_CHECKPOINT_PACKED
  const void* const input_scale_second = nullptr;
#endif
  if (threadIdx.x == 0) repeat_scales<4>(input_scale, input_scale_second, input_scale_out, 1);
}
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void count_pass(const void* __restrict__ mark, void* __restrict__ mark_out) {
  if (threadIdx.x == 0) set_passes(mark_out, passes_of(mark) + 1);
}
