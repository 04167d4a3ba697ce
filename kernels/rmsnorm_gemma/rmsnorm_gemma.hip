// RMSNorm of x, or of x + residual, in one launch. A block works on FT_ROWS_PER_ITER rows at a
// time, each by an equal share of its threads; with row_cache=registers a row is read once and
// stays in registers from the sum to the norm, and where blocks take rows in turns the weight stays
// for all of them. Only rows beyond the largest grid are read twice.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "rows.h"

namespace {

constexpr int kRowThreads = FT_BLOCK_SIZE / FT_ROWS_PER_ITER;  // that share a row
constexpr int kPerThread = FT_THREAD_CHUNKS;        // chunks of a row that a thread has at most
constexpr bool kFull = kChunks % kRowThreads == 0;  // every thread has as many
// Whether all rows of a block exist.
constexpr bool kExists = FT_ROWS_PER_ITER == 1;

// Whether a block takes rows in turns as a rule, and not only where a grid has no more blocks.
constexpr bool kManyRows = FT_PERSISTENT == FT_PERSISTENT_ON || FT_QUANT != FT_QUANT_NONE;

FT_DEVICE bool row_exists(ft_u32 row, ft_u32 rows) { return kExists || row < rows; }

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
  return ft_pack_sum<Summand>(input.x, input.residual);
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

// Whether the turns of a loop wait for each other: where it hardly ever runs it is to take few
// registers.
#if FT_ROW_CACHE == FT_ROW_CACHE_REGISTERS
#define UNROLL_REREAD FT_NO_UNROLL
#else
#define UNROLL_REREAD FT_UNROLL_BY_4
#endif

// The row is read again for the norm. Nothing of it is stored before, so it may be overwritten in
// place.
FT_DEVICE void reread_row(const Tensors& t, const void* weight, ft_i64 row, bool exists, int first,
                          int turn, float eps) {
  const int end = exists ? kChunks : 0;
  float squares = 0.0f;
  UNROLL_REREAD
  for (int chunk = first; chunk < end; chunk += kRowThreads)
    squares += sum_of_squares(sum_of(load_input(t, row, chunk)));
  const float scale = row_scale(ft_group_sum<FT_BLOCK_SIZE, kRowThreads>(squares, turn), eps);
  UNROLL_REREAD
  for (int chunk = first; chunk < end; chunk += kRowThreads) {
    const Chunk<Summand> sum = sum_of(load_input(t, row, chunk));
    store_sum(t, row, chunk, sum);
    store_normed(t, row, chunk, normalise(sum, load_weight(weight, chunk), scale));
  }
}

#if FT_ROW_CACHE == FT_ROW_CACHE_REGISTERS

// Rows that begin where the given chunk of a row does: in a register, unless many elements are.
template <class T>
FT_DEVICE Rows rows_from(const Rows& rows, ft_i64 row, int chunk) {
  char* address = chunk_address<T>(rows, row, chunk);
  if constexpr (kPerThread * kElements <= 16) address = ft_computed<Chunk<T>::ACCESS>(address);
  return Rows{address, rows.row_stride};
}

// The tensors with what norm_row writes of y and residual_out from the given chunk on.
FT_DEVICE Tensors targets_from(const Tensors& t, ft_i64 row, int chunk) {
  Tensors targets = t;
#if FT_HAS_RESIDUAL
  targets.residual_out = rows_from<FT_TYPE_STREAM>(t.residual_out, row, chunk);
#endif
#if FT_HAS_Y
  targets.y = rows_from<FT_TYPE_ACT>(t.y, row, chunk);
#endif
  return targets;
}

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
FT_DEVICE void quantise_row(const Tensors& t, const Tensors& targets, const Chunk<Summand>* sum,
                            const Weights& weights, float scale, ft_i64 row, bool exists, int first,
                            int turn) {
  Chunk<ft_fp32> values[kPerThread];
  float largest[kPerThread];
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    largest[k] = 0.0f;
    if (exists && (kFull || chunk < kChunks)) {
      const Chunk<ft_fp32> normed = normalise(sum[k], weights.chunk[k], scale);
      store_normed(targets, 0, k * kRowThreads, normed);
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
FT_DEVICE void norm_row(const Tensors& t, const Kept& kept, ft_i64 row, ft_u32 rows, bool exists,
                        int first, int turn, float eps) {
  // What follows from the thread is computed where it is used, not ahead of the first load.
  first = ft_opaque(first);
  if (first < 0) __builtin_unreachable();
  Input input[kPerThread];
  Chunk<Summand> sum[kPerThread];
  float squares = -0.0f;  // -0 + x is x for every x: the compiler leaves that addition out
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    const int chunk = first + k * kRowThreads;
    if (exists && (kFull || chunk < kChunks)) input[k] = load_input(t, row, chunk);
  }
  const Weights weights = weights_of(kept, first);
  ft_keep_all_order();
  const Tensors targets = targets_from(t, row, first);
  // Never true: the compiler keeps what waits for loads behind it, and addresses are computed in
  // the meantime.
  if (rows == 0) return;
  if (exists) {
    FT_UNROLL
    for (int k = 0; k < kPerThread; ++k) {
      const int chunk = first + k * kRowThreads;
      if (kFull || chunk < kChunks) {
        sum[k] = sum_of(input[k]);
        store_sum(targets, 0, k * kRowThreads, sum[k]);
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
      store_normed(targets, 0, k * kRowThreads, normalise(sum[k], weights.chunk[k], scale));
  }
#else
  quantise_row(t, targets, sum, weights, scale, row, exists, first, turn);
#endif
}

#endif

#undef UNROLL_REREAD

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
  const int first = static_cast<int>(kExists ? threadIdx.x : threadIdx.x % kRowThreads);
  const ft_u32 rows = static_cast<ft_u32>(tokens);
  int turn = 0;
  // A grid has no block without rows: nothing is compared ahead of the first load.
  ft_u32 row0 = blockIdx.x * FT_ROWS_PER_ITER;
#if FT_ROW_CACHE == FT_ROW_CACHE_REGISTERS
  const Kept kept = keep_weights(weight, first);
  do {
    norm_row(t, kept, row0 + share, rows, row_exists(row0 + share, rows), first, turn, eps);
    turn ^= 1;
    row0 += gridDim.x * FT_ROWS_PER_ITER;
  } while (kManyRows && row0 < rows);
  // Rows beyond those that a grid can have blocks for are read twice. What is constant in a loop is
  // waited for ahead of its first load, so the first rows are not in one.
  if (kManyRows || row0 >= rows) return;
#endif
  do {
    reread_row(t, weight, row0 + share, row_exists(row0 + share, rows), first, turn, eps);
    turn ^= 1;
    row0 += gridDim.x * FT_ROWS_PER_ITER;
  } while (row0 < rows);
}
