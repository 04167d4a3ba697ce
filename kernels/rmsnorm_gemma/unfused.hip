// The baseline: an addition that writes the sum, a norm that reads it again, a quantisation that
// reads the norm. One block per row, widest access that the alignment allows.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "rows.h"

namespace {

#if !FT_HAS_RESIDUAL
typedef FT_TYPE_ACT Summand;
#elif FT_HAS_SUM
typedef ft_fp32 Summand;
#else
typedef FT_TYPE_STREAM Summand;
#endif

FT_DEVICE void norm_rows(const Rows& summands, const void* weight, const Rows& y,
                         const Rows& normed, ft_i64 tokens, float eps) {
  for (ft_i64 row = blockIdx.x; row < tokens; row += gridDim.x) {
    float squares = 0.0f;
    for (int chunk = static_cast<int>(threadIdx.x); chunk < kChunks; chunk += FT_BLOCK_SIZE)
      squares += sum_of_squares(load_chunk<Summand>(summands, row, chunk));
    const float scale = row_scale(ft_block_sum<FT_BLOCK_SIZE>(squares), eps);
    for (int chunk = static_cast<int>(threadIdx.x); chunk < kChunks; chunk += FT_BLOCK_SIZE) {
      const Chunk<ft_fp32> values =
          normalise(load_chunk<Summand>(summands, row, chunk), load_weight(weight, chunk), scale);
#if FT_HAS_Y
      store_chunk<FT_TYPE_ACT>(y, row, chunk, convert<FT_TYPE_ACT>(values));
#endif
#if FT_HAS_NORMED
      store_chunk<ft_fp32>(normed, row, chunk, quant_source(values));
#endif
    }
  }
}

}  // namespace

#if FT_HAS_RESIDUAL
FT_KERNEL(FT_BLOCK_SIZE)
void residual_add(const void* x, ft_i64 x_row_stride, const void* residual,
                  ft_i64 residual_row_stride, void* residual_out, ft_i64 residual_out_row_stride,
#if FT_HAS_SUM
                  void* sum,
#endif
                  ft_i64 tokens) {
  const Rows in = rows_of(x, x_row_stride), stream = rows_of(residual, residual_row_stride);
  const Rows out = rows_of(residual_out, residual_out_row_stride);
  for (ft_i64 row = blockIdx.x; row < tokens; row += gridDim.x) {
    for (int chunk = static_cast<int>(threadIdx.x); chunk < kChunks; chunk += FT_BLOCK_SIZE) {
      const Chunk<FT_TYPE_ACT> a = load_chunk<FT_TYPE_ACT>(in, row, chunk);
      const Chunk<FT_TYPE_STREAM> b = load_chunk<FT_TYPE_STREAM>(stream, row, chunk);
      Chunk<ft_fp32> exact;
      Chunk<FT_TYPE_STREAM> stored;
      FT_UNROLL
      for (int i = 0; i < kElements; ++i) {
        ft_set(exact, i, ft_get(a, i) + ft_get(b, i));
        ft_set(stored, i, ft_get(exact, i));
      }
      store_chunk<FT_TYPE_STREAM>(out, row, chunk, stored);
#if FT_HAS_SUM
      store_chunk<ft_fp32>(rows_of(sum, FT_WIDTH), row, chunk, exact);
#endif
    }
  }
}
#endif

#if FT_HAS_RESIDUAL && FT_HAS_SUM
#define SUMMANDS_PARAMETERS void* sum
#define SUMMANDS rows_of(sum, FT_WIDTH)
#elif FT_HAS_RESIDUAL
#define SUMMANDS_PARAMETERS void *residual_out, ft_i64 residual_out_row_stride
#define SUMMANDS rows_of(residual_out, residual_out_row_stride)
#else
#define SUMMANDS_PARAMETERS const void *x, ft_i64 x_row_stride
#define SUMMANDS rows_of(x, x_row_stride)
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void rmsnorm(SUMMANDS_PARAMETERS, const void* weight,
#if FT_HAS_Y
             void* y, ft_i64 y_row_stride,
#endif
#if FT_HAS_NORMED
             void* normed,
#endif
             ft_i64 tokens, float eps) {
#if !FT_HAS_Y
  void* const y = nullptr;
  const ft_i64 y_row_stride = 0;
#endif
#if !FT_HAS_NORMED
  void* const normed = nullptr;
#endif
  norm_rows(SUMMANDS, weight, rows_of(y, y_row_stride), rows_of(normed, FT_WIDTH), tokens, eps);
}

#if FT_HAS_Q
FT_KERNEL(FT_BLOCK_SIZE)
void quantise(void* q, ft_i64 q_row_stride, void* scale, ft_i64 scale_row_stride, void* normed,
              ft_i64 tokens) {
  quantise_rows<FT_BASELINE_GROUP_THREADS>(rows_of(q, q_row_stride),
                                           rows_of(scale, scale_row_stride),
                                           rows_of(normed, FT_WIDTH), tokens);
}
#endif
