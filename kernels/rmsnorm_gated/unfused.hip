// The baseline: norm and gate in their order, then a quantisation, each a launch that reads what the one before wrote.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "gate.h"

namespace {

constexpr int kNormChunks = FT_NORM_GROUP / kElements;
constexpr int kNorms = FT_WIDTH / FT_NORM_GROUP;  // of a token

// What the launches hand to each other.
FT_DEVICE Rows workspace(const void *data) { return rows_of(data, FT_WIDTH); }

#if FT_HAS_Y
#define Y_PARAMETERS void *y, ft_i64 y_row_stride,
#define Y rows_of(y, y_row_stride)
#else
#define Y_PARAMETERS
#define Y Rows{}
#endif
#if FT_HAS_GATED
#define GATED_PARAMETERS void *gated,
#define GATED workspace(gated)
#else
#define GATED_PARAMETERS
#define GATED Rows{}
#endif
#if FT_HAS_BIAS
#define BIAS_PARAMETERS const void *bias,
#define BIAS bias
#else
#define BIAS_PARAMETERS
#define BIAS nullptr
#endif

// The result of all: as y, and as what is quantised.
FT_DEVICE void store_result(const Rows &y, const Rows &gated, ft_i64 token, int chunk, const Chunk<ft_fp32> &values) {
#if FT_HAS_Y
  store_chunk<FT_TYPE_ACT>(y, token, chunk, convert<FT_TYPE_ACT>(values));
#endif
#if FT_HAS_GATED
  store_chunk<ft_fp32>(gated, token, chunk, quant_source(values));
#endif
  (void)y, (void)gated, (void)token, (void)chunk, (void)values;
}


// Calls use(token, chunk) for every chunk of all heads: a block per head.
template <class Use>
FT_DEVICE void for_each_chunk(ft_i64 tokens, const Use &use) {
  for (ft_i64 item = blockIdx.x; item < tokens * FT_HEADS; item += gridDim.x) {
    const int head = static_cast<int>(item % FT_HEADS);
    for (int chunk = static_cast<int>(threadIdx.x); chunk < kHeadChunks; chunk += FT_BLOCK_SIZE)
      use(item / FT_HEADS, head * kHeadChunks + chunk);
  }
}

// Calls store(token, chunk, values) for every normalised chunk: a block per group of the norm.
template <class From, class Store>
FT_DEVICE void norm_rows(const Rows &rows, const void *weight, const void *bias, ft_i64 tokens, float eps, const Store &store) {
  for (ft_i64 item = blockIdx.x; item < tokens * kNorms; item += gridDim.x) {
    const ft_i64 token = item / kNorms;
    const int begin = static_cast<int>(item % kNorms) * kNormChunks, end = begin + kNormChunks;
    float squares = 0.0f;
    for (int chunk = begin + static_cast<int>(threadIdx.x); chunk < end; chunk += FT_BLOCK_SIZE)
      squares += sum_of_squares(load_chunk<From>(rows, token, chunk));
    const float scale = group_scale(ft_block_sum<FT_BLOCK_SIZE>(squares), eps);
    for (int chunk = begin + static_cast<int>(threadIdx.x); chunk < end; chunk += FT_BLOCK_SIZE)
      store(token, chunk, normalise(load_chunk<From>(rows, token, chunk), load_affine(weight, bias, chunk), scale));
  }
}

}  // namespace

#if FT_NORM_BEFORE_GATE == FT_NORM_BEFORE_GATE_ON

FT_KERNEL(FT_BLOCK_SIZE)
void norm_x(const void *x, ft_i64 x_row_stride, const void *weight, BIAS_PARAMETERS void *half, ft_i64 tokens, float eps) {
  const Rows out = workspace(half);
  norm_rows<FT_TYPE_ACT>(rows_of(x, x_row_stride), weight, BIAS, tokens, eps,
                         [&](ft_i64 token, int chunk, const Chunk<ft_fp32> &values) { store_chunk<ft_fp32>(out, token, chunk, values); });
}

FT_KERNEL(FT_BLOCK_SIZE)
void gate_half(void *half, const void *z, ft_i64 z_row_stride, Y_PARAMETERS GATED_PARAMETERS ft_i64 tokens) {
  const Rows in = workspace(half), gates = rows_of(z, z_row_stride), to_y = Y, to_gated = GATED;
  for_each_chunk(tokens, [&](ft_i64 token, int chunk) {
    store_result(to_y, to_gated, token, chunk,
                 gate(load_chunk<ft_fp32>(in, token, chunk), load_chunk<FT_TYPE_ACT>(gates, token, chunk)));
  });
}

#else

FT_KERNEL(FT_BLOCK_SIZE)
void gate_x(const void *x, ft_i64 x_row_stride, const void *z, ft_i64 z_row_stride, void *half, ft_i64 tokens) {
  const Rows in = rows_of(x, x_row_stride), gates = rows_of(z, z_row_stride), out = workspace(half);
  for_each_chunk(tokens, [&](ft_i64 token, int chunk) {
    store_chunk<ft_fp32>(out, token, chunk,
                         gate(load_chunk<FT_TYPE_ACT>(in, token, chunk), load_chunk<FT_TYPE_ACT>(gates, token, chunk)));
  });
}

FT_KERNEL(FT_BLOCK_SIZE)
void norm_half(void *half, const void *weight, BIAS_PARAMETERS Y_PARAMETERS GATED_PARAMETERS ft_i64 tokens, float eps) {
  const Rows to_y = Y, to_gated = GATED;
  norm_rows<ft_fp32>(workspace(half), weight, BIAS, tokens, eps,
                     [&](ft_i64 token, int chunk, const Chunk<ft_fp32> &values) { store_result(to_y, to_gated, token, chunk, values); });
}

#endif

#if FT_HAS_Q
FT_KERNEL(FT_BLOCK_SIZE)
void quantise(void *q, ft_i64 q_row_stride, void *scale, ft_i64 scale_row_stride, void *gated, ft_i64 tokens) {
  quantise_rows(rows_of(q, q_row_stride), rows_of(scale, scale_row_stride), workspace(gated), tokens);
}
#endif
