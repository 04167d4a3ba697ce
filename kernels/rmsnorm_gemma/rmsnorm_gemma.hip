// RMSNorm of x, or of x + residual, in one launch. A block works on FT_ROWS_PER_ITER rows at a
// time, each by an equal share of its threads; with row_cache=registers a row is read once and
// stays in registers from the sum to the norm, and the weight stays for all rows of the block.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "rows.h"

namespace {

constexpr int kRowThreads = FT_BLOCK_SIZE / FT_ROWS_PER_ITER;  // that share a row
constexpr int kPerThread = FT_THREAD_CHUNKS;        // chunks of a row that a thread has at most
constexpr bool kFull = kChunks % kRowThreads == 0;  // every thread has as many
// Whether all rows of a block exist. Only loads are told: what is behind the comparison of the
// others stays behind the loads.
constexpr bool kExists = FT_ROWS_PER_ITER == 1;

struct Tensors {
  Rows x, residual, y, residual_out, q, scale;
};

#if !FT_HAS_RESIDUAL
typedef FT_TYPE_ACT Summand;
#elif FT_RESIDUAL_ROUNDING == FT_RESIDUAL_ROUNDING_BEFORE_NORM
typedef FT_TYPE_STREAM Summand;
#else
typedef ft_fp32 Summand;
#endif

// What a thread reads of a chunk; apart from the sum, so that the reads of many chunks are in
// flight together.
struct Input {
  Chunk<FT_TYPE_ACT> x;
#if FT_HAS_RESIDUAL
  Chunk<FT_TYPE_STREAM> residual;
#endif
};

FT_DEVICE Input load_input(const Tensors& t, ft_i64 row, int chunk) {
  Input input;
  input.x = load_chunk<FT_TYPE_ACT>(t.x, row, chunk);
#if FT_HAS_RESIDUAL
  input.residual = load_chunk<FT_TYPE_STREAM>(t.residual, row, chunk);
#endif
  return input;
}

// What the norm takes of a chunk: x, or its sum with the residual as the rounding order says.
FT_DEVICE Chunk<Summand> sum_of(const Input& input) {
#if FT_HAS_RESIDUAL
  float sum[kElements];
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) sum[i] = ft_get(input.x, i) + ft_get(input.residual, i);
  return ft_pack_of<Summand>(sum);
#else
  return input.x;
#endif
}

FT_DEVICE void store_sum(const Tensors& t, ft_i64 row, int chunk, const Chunk<Summand>& sum) {
#if FT_HAS_RESIDUAL
  store_chunk<FT_TYPE_STREAM>(t.residual_out, row, chunk, convert<FT_TYPE_STREAM>(sum));
#else
  (void)t, (void)row, (void)chunk, (void)sum;
#endif
}

FT_DEVICE void store_normed(const Tensors& t, ft_i64 row, int chunk, const Chunk<ft_fp32>& values) {
#if FT_HAS_Y
  store_chunk<FT_TYPE_ACT>(t.y, row, chunk, convert<FT_TYPE_ACT>(values));
#else
  (void)t, (void)row, (void)chunk, (void)values;
#endif
}

#if FT_ROW_CACHE == FT_ROW_CACHE_REGISTERS

// A thread's share of a row of weights.
struct Weights {
  Chunk<FT_TYPE_WEIGHT> chunk[kPerThread];
};

FT_DEVICE Weights load_weights(const void* weight, int first) {
  Weights weights;
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    if (kFull || chunk < kChunks) weights.chunk[k] = load_weight(weight, chunk);
  }
  return weights;
}

#if FT_PERSISTENT == FT_PERSISTENT_ON
typedef Weights Kept;
FT_DEVICE Kept keep_weights(const void* weight, int first) { return load_weights(weight, first); }
FT_DEVICE Weights weights_of(const Kept& kept, int) { return kept; }
#else
// A block of one row reads them after it: kept ones are converted ahead of the loop over rows,
// which then waits for them before it asks for anything.
struct Kept {
  const void* weight;
};
FT_DEVICE Kept keep_weights(const void* weight, int) { return {weight}; }
FT_DEVICE Weights weights_of(const Kept& kept, int first) {
  return load_weights(kept.weight, first);
}
#endif

#if FT_QUANT != FT_QUANT_NONE

// Norm and codes of a row whose summands are in registers. All threads take part in the maxima.
FT_DEVICE void quantise_row(const Tensors& t, const Chunk<Summand>* sum, const Weights& weights,
                            float scale, ft_i64 row, bool exists, int first, int turn) {
  Chunk<ft_fp32> values[kPerThread];
  float largest[kPerThread];
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    largest[k] = 0.0f;
    if (exists && (kFull || chunk < kChunks)) {
      const Chunk<ft_fp32> normed = normalise(sum[k], weights.chunk[k], scale);
      store_normed(t, row, chunk, normed);
      values[k] = quant_source(normed);
      largest[k] = largest_magnitude(values[k]);
    }
  }
#if FT_QUANT == FT_QUANT_PER_TOKEN
  FT_UNROLL
  for (int k = 1; k < kPerThread; ++k)
    largest[0] = largest[k] > largest[0] ? largest[k] : largest[0];
  const float row_largest = ft_group_max<FT_BLOCK_SIZE, kRowThreads>(largest[0], turn);
#else
  (void)turn;
#endif
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
#if FT_QUANT == FT_QUANT_PER_TOKEN
    const float code_scale = scale_of(row_largest);
    const bool writes_scale = chunk == 0;
    const int group = 0;
#else
    const float code_scale = scale_of(ft_wave_max<FT_GROUP_LANES>(largest[k]));
    const bool writes_scale = chunk % FT_GROUP_LANES == 0;
    const int group = chunk / FT_GROUP_LANES;
#endif
    if (exists && (kFull || chunk < kChunks)) {
      store_chunk<FT_TYPE_CODE>(t.q, row, chunk, codes_of(values[k], code_scale));
      if (writes_scale) store_scale(t.scale, row, group, code_scale);
    }
  }
}

#endif

// All threads take part in the sum; those of a row that does not exist only in that.
FT_DEVICE void norm_row(const Tensors& t, const Kept& kept, ft_i64 row, bool exists, int first,
                        int turn, float eps) {
  // What follows from the thread is computed where it is used: ahead of the loop over rows it would
  // hold up the first load.
  first = ft_opaque(first);
  Input input[kPerThread];
  Chunk<Summand> sum[kPerThread];
  float squares = 0.0f;
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    if ((kExists || exists) && (kFull || chunk < kChunks)) input[k] = load_input(t, row, chunk);
  }
  const Weights weights = weights_of(kept, first);
  ft_keep_order();
  if (exists) {
    FT_UNROLL
    for (int k = 0; k < kPerThread; ++k) {
      const int chunk = first + k * kRowThreads;
      if (kFull || chunk < kChunks) {
        sum[k] = sum_of(input[k]);
        store_sum(t, row, chunk, sum[k]);
        squares += sum_of_squares(sum[k]);
      }
    }
  }
  const float scale = row_scale(ft_group_sum<FT_BLOCK_SIZE, kRowThreads>(squares, turn), eps);
#if FT_QUANT == FT_QUANT_NONE
  if (!exists) return;
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    if (kFull || chunk < kChunks)
      store_normed(t, row, chunk, normalise(sum[k], weights.chunk[k], scale));
  }
#else
  quantise_row(t, sum, weights, scale, row, exists, first, turn);
#endif
}

#else

struct Kept {
  const void* weight;
};
FT_DEVICE Kept keep_weights(const void* weight, int) { return {weight}; }

// The row is read again for the norm. Nothing of it is stored before, so it may be overwritten in
// place.
FT_DEVICE void norm_row(const Tensors& t, const Kept& kept, ft_i64 row, bool exists, int first,
                        int turn, float eps) {
  const int end = exists ? kChunks : 0;
  float squares = 0.0f;
  FT_UNROLL_BY_4
  for (int chunk = first; chunk < end; chunk += kRowThreads)
    squares += sum_of_squares(sum_of(load_input(t, row, chunk)));
  const float scale = row_scale(ft_group_sum<FT_BLOCK_SIZE, kRowThreads>(squares, turn), eps);
  FT_UNROLL_BY_4
  for (int chunk = first; chunk < end; chunk += kRowThreads) {
    const Chunk<Summand> sum = sum_of(load_input(t, row, chunk));
    store_sum(t, row, chunk, sum);
    store_normed(t, row, chunk, normalise(sum, load_weight(kept.weight, chunk), scale));
  }
}

#endif

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void rmsnorm_gemma(const void* x, ft_i64 x_row_stride,
#if FT_HAS_RESIDUAL
                   const void* residual, ft_i64 residual_row_stride,
#endif
                   const void* weight,
#if FT_HAS_Y
                   void* y, ft_i64 y_row_stride,
#endif
#if FT_HAS_RESIDUAL
                   void* residual_out, ft_i64 residual_out_row_stride,
#endif
#if FT_HAS_Q
                   void* q, ft_i64 q_row_stride, void* scale, ft_i64 scale_row_stride,
#endif
                   ft_i64 tokens, float eps) {
  Tensors t = {};
  t.x = rows_of(x, x_row_stride);
#if FT_HAS_RESIDUAL
  t.residual = rows_of(residual, residual_row_stride);
  t.residual_out = rows_of(residual_out, residual_out_row_stride);
#endif
#if FT_HAS_Y
  t.y = rows_of(y, y_row_stride);
#endif
#if FT_HAS_Q
  t.q = rows_of(q, q_row_stride);
  t.scale = rows_of(scale, scale_row_stride);
#endif
  const ft_u32 share = threadIdx.x / kRowThreads;
  const int first = static_cast<int>(threadIdx.x % kRowThreads);
  const Kept kept = keep_weights(weight, first);
  const ft_u32 rows = static_cast<ft_u32>(tokens);
  int turn = 0;
  // A grid has no block without rows: nothing is compared ahead of the first load.
  ft_u32 row0 = blockIdx.x * FT_ROWS_PER_ITER;
  do {
    norm_row(t, kept, row0 + share, row0 + share < rows, first, turn, eps);
    turn ^= 1;
    row0 += gridDim.x * FT_ROWS_PER_ITER;
  } while (row0 < rows);
}
