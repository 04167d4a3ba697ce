// The baseline: norm and gate in their order, then a quantisation, each a launch that reads what
// the one before wrote.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "gate.h"

namespace {

constexpr int kNormChunks = FT_NORM_GROUP / kElements;
constexpr int kNorms = FT_WIDTH / FT_NORM_GROUP;  // of a token

// What the launches hand to each other.
FT_DEVICE Rows workspace(const void* data) { return rows_of(data, FT_WIDTH); }

#if FT_HAS_Y
#define Y_PARAMETERS void *y, ft_i64 y_row_stride,
#define Y rows_of(y, y_row_stride)
#else
#define Y_PARAMETERS
#define Y Rows()
#endif
#if FT_HAS_GATED
#define GATED_PARAMETERS void *gated,
#define GATED workspace(gated)
#else
#define GATED_PARAMETERS
#define GATED Rows()
#endif
#if FT_HAS_BIAS
#define BIAS_PARAMETERS const void *bias,
#define BIAS bias
#else
#define BIAS_PARAMETERS
#define BIAS nullptr
#endif

// The result of all: as y, and as what is quantised.
FT_DEVICE void store_result(const Rows& y, const Rows& gated, ft_i64 token, int chunk,
                            const Chunk<ft_fp32>& values) {
#if FT_HAS_Y
  store_chunk<FT_TYPE_ACT>(y, token, chunk, convert<FT_TYPE_ACT>(values));
#endif
#if FT_HAS_GATED
  store_chunk<ft_fp32>(gated, token, chunk, quant_source(values));
#endif
  (void)y, (void)gated, (void)token, (void)chunk, (void)values;
}

// Calls use(token, chunk) for every chunk: one per thread at a time.
template <class Use>
FT_DEVICE void for_each_chunk(ft_i64 tokens, const Use& use) {
  const ft_i64 all = tokens * kChunks;
  for (ft_i64 at = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x; at < all;
       at += static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE)
    use(at / kChunks, static_cast<int>(at % kChunks));
}

// Calls store(token, chunk, values) for every normalised chunk. kShare threads have a group of the
// norm; all of a block take part in the sums.
template <class From, class Store>
FT_DEVICE void norm_rows(const Rows& rows, const void* weight, const void* bias, ft_i64 tokens,
                         float eps, const Store& store) {
  constexpr int kShare = FT_BASELINE_NORM_THREADS, kAtATime = FT_BLOCK_SIZE / kShare;
  int turn = 0;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * kAtATime; start < tokens * kNorms;
       start += static_cast<ft_i64>(gridDim.x) * kAtATime) {
    const ft_i64 norm = start + static_cast<int>(threadIdx.x) / kShare;
    const ft_i64 token = norm / kNorms;
    const int first = static_cast<int>(norm % kNorms) * kNormChunks;
    const int begin = first + static_cast<int>(threadIdx.x) % kShare;
    const int end = norm < tokens * kNorms ? first + kNormChunks : 0;
    float squares = 0.0f;
    for (int chunk = begin; chunk < end; chunk += kShare)
      squares += sum_of_squares(load_chunk<From>(rows, token, chunk));
    const float scale = group_scale(ft_group_sum<FT_BLOCK_SIZE, kShare>(squares, turn), eps);
    turn ^= 1;
    for (int chunk = begin; chunk < end; chunk += kShare)
      store(
          token, chunk,
          normalise(load_chunk<From>(rows, token, chunk), load_affine(weight, bias, chunk), scale));
  }
}

}  // namespace

#if FT_NORM_BEFORE_GATE == FT_NORM_BEFORE_GATE_ON

FT_KERNEL(FT_BLOCK_SIZE)
void norm_x(const void* x, ft_i64 x_row_stride, const void* weight, BIAS_PARAMETERS void* half,
            ft_i64 tokens, float eps) {
  const Rows out = workspace(half);
  norm_rows<FT_TYPE_ACT>(rows_of(x, x_row_stride), weight, BIAS, tokens, eps,
                         [&](ft_i64 token, int chunk, const Chunk<ft_fp32>& values) {
                           store_chunk<ft_fp32>(out, token, chunk, values);
                         });
}

FT_KERNEL(FT_BLOCK_SIZE)
void gate_half(void* half, const void* z, ft_i64 z_row_stride,
               Y_PARAMETERS GATED_PARAMETERS ft_i64 tokens) {
  const Rows in = workspace(half), gates = rows_of(z, z_row_stride), to_y = Y, to_gated = GATED;
  for_each_chunk(tokens, [&](ft_i64 token, int chunk) {
    store_result(
        to_y, to_gated, token, chunk,
        gate(load_chunk<ft_fp32>(in, token, chunk), load_chunk<FT_TYPE_ACT>(gates, token, chunk)));
  });
}

#else

FT_KERNEL(FT_BLOCK_SIZE)
void gate_x(const void* x, ft_i64 x_row_stride, const void* z, ft_i64 z_row_stride, void* half,
            ft_i64 tokens) {
  const Rows in = rows_of(x, x_row_stride), gates = rows_of(z, z_row_stride), out = workspace(half);
  for_each_chunk(tokens, [&](ft_i64 token, int chunk) {
    store_chunk<ft_fp32>(out, token, chunk,
                         gate(load_chunk<FT_TYPE_ACT>(in, token, chunk),
                              load_chunk<FT_TYPE_ACT>(gates, token, chunk)));
  });
}

FT_KERNEL(FT_BLOCK_SIZE)
void norm_half(void* half, const void* weight,
               BIAS_PARAMETERS Y_PARAMETERS GATED_PARAMETERS ft_i64 tokens, float eps) {
  const Rows to_y = Y, to_gated = GATED;
  norm_rows<ft_fp32>(workspace(half), weight, BIAS, tokens, eps,
                     [&](ft_i64 token, int chunk, const Chunk<ft_fp32>& values) {
                       store_result(to_y, to_gated, token, chunk, values);
                     });
}

#endif

#if FT_HAS_Q
FT_KERNEL(FT_BLOCK_SIZE)
void quantise(void* q, ft_i64 q_row_stride, void* scale, ft_i64 scale_row_stride, void* gated,
              ft_i64 tokens) {
  quantise_rows<FT_BASELINE_GROUP_THREADS>(
      rows_of(q, q_row_stride), rows_of(scale, scale_row_stride), workspace(gated), tokens);
}
#endif
