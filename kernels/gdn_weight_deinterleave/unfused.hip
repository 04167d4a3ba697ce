// The baseline: a strided copy launch per part of weights and of scales, as a loader issues them
// that indexes rows with a framework.
#include "ft.h"
#include "rows.h"

// `before` and `size` are rows per k head of the parts before, and of this one.
#define COPY_PART(entry, before, size)                                                       \
  FT_KERNEL(FT_BLOCK_SIZE)                                                                   \
  void entry(const void* __restrict__ w, ft_i64 w_row_stride, const void* __restrict__ mark, \
             void* __restrict__ w_out, ft_i64 w_out_row_stride, ft_i64 nk, ft_i64 columns,   \
             ft_i64 ranks, ft_i64 rank) {                                                    \
    typedef HeadRows<1> Rows;                                                                \
    const Shard shard = shard_of(nk, ranks, rank);                                           \
    copy_rows<FT_VECTOR_BYTES_MAX, FT_BYTES_WEIGHT, FT_BLOCK_SIZE>(                          \
        Checkpoint<1>{static_cast<const char*>(w), w_row_stride * FT_BYTES_WEIGHT, shard,    \
                      passes_of(mark) != 0},                                                 \
        {static_cast<char*>(w_out), w_out_row_stride * FT_BYTES_WEIGHT, 0,                   \
         weight_row_bytes(columns)},                                                         \
        shard.heads * (before), shard.heads * (size));                                       \
  }
#define SCALE_PART(entry, before, size)                                                            \
  FT_KERNEL(FT_BLOCK_SIZE)                                                                         \
  void entry(const void* __restrict__ scale, ft_i64 scale_row_stride,                              \
             const void* __restrict__ mark, void* __restrict__ scale_out,                          \
             ft_i64 scale_out_row_stride, ft_i64 nk, ft_i64 columns, ft_i64 ranks, ft_i64 rank) {  \
    typedef HeadRows<FT_SCALE_UNIT> Rows;                                                          \
    const Shard shard = shard_of(nk, ranks, rank);                                                 \
    copy_rows<FT_SCALE_VECTOR_BYTES, FT_BYTES_SCALE, FT_BLOCK_SIZE>(                               \
        Checkpoint<FT_SCALE_UNIT>{static_cast<const char*>(scale),                                 \
                                  scale_row_stride * FT_BYTES_SCALE, shard, passes_of(mark) != 0}, \
        {static_cast<char*>(scale_out), scale_out_row_stride * FT_BYTES_SCALE, 0,                  \
         scale_row_bytes(columns)},                                                                \
        shard.heads * (before), shard.heads * (size));                                             \
  }

#if FT_QKVZ_ROWS
COPY_PART(copy_q, 0, Rows::kQ)
COPY_PART(copy_k, Rows::kQ, Rows::kQ)
COPY_PART(copy_v, 2 * Rows::kQ, Rows::kV)
COPY_PART(copy_z, 2 * Rows::kQ + Rows::kV, Rows::kV)
#endif
#if FT_BA_ROWS
COPY_PART(copy_b, Rows::kQkvz, FT_RATIO)
COPY_PART(copy_a, Rows::kQkvz + FT_RATIO, FT_RATIO)
#endif

#if FT_HAS_SCALE && FT_SCALE_KIND == FT_SCALE_KIND_TENSOR
FT_KERNEL(FT_BLOCK_SIZE)
void copy_tensor_scale(const void* __restrict__ scale, ft_i64, void* __restrict__ scale_out,
                       ft_i64 scale_out_row_stride) {
  if (threadIdx.x == 0) {
    repeat_scale<FT_BYTES_SCALE>(scale, scale_out, scale_out_row_stride, kTensorScales);
  }
}
#elif FT_HAS_SCALE
#if FT_QKVZ_ROWS
SCALE_PART(scale_q, 0, Rows::kQ)
SCALE_PART(scale_k, Rows::kQ, Rows::kQ)
SCALE_PART(scale_v, 2 * Rows::kQ, Rows::kV)
SCALE_PART(scale_z, 2 * Rows::kQ + Rows::kV, Rows::kV)
#endif
#if FT_BA_ROWS
SCALE_PART(scale_b, Rows::kQkvz, FT_RATIO)
SCALE_PART(scale_a, Rows::kQkvz + FT_RATIO, FT_RATIO)
#endif
#endif

#if FT_HAS_INPUT_SCALE
FT_KERNEL(FT_BLOCK_SIZE)
void copy_input_scale(const void* __restrict__ input_scale, void* __restrict__ input_scale_out) {
  if (threadIdx.x == 0) repeat_scale<4>(input_scale, input_scale_out, 1, 1);
}
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void count_pass(const void* __restrict__ mark, void* __restrict__ mark_out) {
  if (threadIdx.x == 0) set_passes(mark_out, passes_of(mark) + 1);
}
