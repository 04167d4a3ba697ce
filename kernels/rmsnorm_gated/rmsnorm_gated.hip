// RMSNorm and gate in one launch. The rows of the tokens are cut into segments, beyond which no sum
// and no scale reaches: a head, a group or a token. A block works on FT_ROWS_PER_ITER of them at a
// time, each by an equal share of its threads, and holds them in registers.
#include "ft.h"
#include "chunks.h"
#include "quantise.h"
#include "gate.h"

namespace {

constexpr int kRowThreads = FT_BLOCK_SIZE / FT_ROWS_PER_ITER;  // that share a segment
constexpr int kSegmentChunks = FT_SEGMENT / kElements;
constexpr int kPerThread = FT_THREAD_CHUNKS;  // chunks of a segment that a thread has at most
constexpr bool kFull = kSegmentChunks % kRowThreads == 0;     // every thread has as many
constexpr bool kWhole = FT_SEGMENTS % FT_ROWS_PER_ITER == 0;  // a block's segments all exist
// Whether the weights are those of every segment, and are worth keeping. A block of one segment
// reads them after it: kept ones are converted ahead of the loop over segments, which then waits
// for them before it asks for anything.
constexpr bool kKeepsWeights =
    FT_PERSISTENT == FT_PERSISTENT_ON && kSegmentChunks % kHeadChunks == 0;
// Whether a block takes segments in turns as a rule, and not only where a grid has no more blocks.
constexpr bool kManyTurns = FT_PERSISTENT == FT_PERSISTENT_ON || FT_QUANT != FT_QUANT_NONE;
// Where a thread's chunks lie whole heads apart, one chunk of weights serves them all.
constexpr int kWeights = kRowThreads % kHeadChunks == 0 ? 1 : kPerThread;

struct Tensors {
  Rows x, z, y, q, scale;
  const void *weight, *bias;
};

// Where a thread works: its chunks of a segment are `first`, `first + kRowThreads`, and so on.
struct Place {
  ft_u32 token;
  int segment;  // of the token
  int first;
  bool exists;
};

FT_DEVICE bool has(const Place& at, int k) {
  return at.exists && (kFull || at.first + k * kRowThreads < kSegmentChunks);
}
FT_DEVICE int chunk_of(const Place& at, int k) {
  return at.segment * kSegmentChunks + at.first + k * kRowThreads;
}

// What a thread reads of its chunks; apart from the arithmetic, so that all reads are in flight
// together.
struct Input {
  Chunk<FT_TYPE_ACT> x[kPerThread], z[kPerThread];
};

FT_DEVICE Input load_input(const Tensors& t, const Place& at) {
  Input input;
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    if (!has(at, k)) continue;
    input.x[k] = load_chunk<FT_TYPE_ACT>(t.x, at.token, chunk_of(at, k));
    input.z[k] = load_chunk<FT_TYPE_ACT>(t.z, at.token, chunk_of(at, k));
  }
  return input;
}

struct Weights {
  Affine affine[kWeights];
};

FT_DEVICE Weights load_weights(const Tensors& t, const Place& at) {
  Weights weights;
  FT_UNROLL
  for (int k = 0; k < kWeights; ++k)
    if (kWeights == 1 || kFull || at.first + k * kRowThreads < kSegmentChunks)
      weights.affine[k] = load_affine(t.weight, t.bias, chunk_of(at, k));
  return weights;
}

FT_DEVICE Chunk<Normed> norm_input(const Chunk<FT_TYPE_ACT>& x, const Chunk<FT_TYPE_ACT>& z) {
#if FT_NORM_BEFORE_GATE == FT_NORM_BEFORE_GATE_ON
  (void)z;
  return x;
#else
  return gate(x, z);
#endif
}

// Over groups of LANES lanes. All lanes of the wave take part: no group has to find out which are
// its own, as it has in ft_wave_sum.
template <int LANES>
FT_DEVICE float lanes_sum(float value) {
  static_assert((LANES & (LANES - 1)) == 0, "groups are a power of two");
  FT_UNROLL
  for (int mask = LANES / 2; mask > 0; mask /= 2) value += ft_shfl_xor(value, mask);
  return value;
}

// One number per chunk becomes that of the group which the chunk lies in. All threads take part.
template <bool WHOLE, int LANES, bool MAX>
FT_DEVICE void reduce(float (&values)[kPerThread], int turn) {
  if constexpr (WHOLE) {
    float own = values[0];
    FT_UNROLL
    for (int k = 1; k < kPerThread; ++k)
      own = !MAX ? own + values[k] : values[k] > own ? values[k] : own;
    own = MAX                          ? ft_group_max<FT_BLOCK_SIZE, kRowThreads>(own, turn)
          : kRowThreads < FT_WAVE_SIZE ? lanes_sum<kRowThreads>(own)
                                       : ft_group_sum<FT_BLOCK_SIZE, kRowThreads>(own, turn);
    FT_UNROLL
    for (int k = 0; k < kPerThread; ++k) values[k] = own;
  } else {
    FT_UNROLL
    for (int k = 0; k < kPerThread; ++k)
      values[k] = MAX ? ft_wave_max<LANES>(values[k]) : ft_wave_sum<LANES>(values[k]);
  }
}

#if FT_QUANT != FT_QUANT_NONE

FT_DEVICE void quantise(const Tensors& t, Chunk<ft_fp32> (&values)[kPerThread], const Place& at,
                        int turn) {
  constexpr int kGroupChunks = FT_QUANT == FT_QUANT_PER_TOKEN ? kChunks : kChunks / FT_GROUPS;
  float largest[kPerThread];
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    largest[k] = 0.0f;
    if (!has(at, k)) continue;
    values[k] = quant_source(values[k]);
    largest[k] = largest_magnitude(values[k]);
  }
  reduce<kGroupChunks == kSegmentChunks, FT_GROUP_LANES, true>(largest, turn);
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    if (!has(at, k)) continue;
    const float scale = scale_of(largest[k]);
    store_chunk<FT_TYPE_CODE>(t.q, at.token, chunk_of(at, k), codes_of(values[k], scale));
    if (chunk_of(at, k) % kGroupChunks == 0)
      store_scale(t.scale, at.token, chunk_of(at, k) / kGroupChunks, scale);
  }
}

#endif

#if FT_HAS_Y

// y from a thread's first chunk on: computed here, unless variants of many elements need the
// registers.
FT_DEVICE Rows target_of(const Tensors& t, const Place& at) {
  char* address = chunk_address<FT_TYPE_ACT>(t.y, at.token, chunk_of(at, 0));
  if constexpr (!kManyTurns && kPerThread * kElements <= 16)
    address = ft_computed<Chunk<FT_TYPE_ACT>::ACCESS>(address);
  return Rows{address, t.y.row_stride};
}

#endif

// All threads take part in sums and maxima; those of a segment that does not exist only in them.
FT_DEVICE void norm_segment(const Tensors& t, const Weights& kept, const Place& at, ft_u32 items,
                            int turn, float eps) {
  const Input input = load_input(t, at);
  const Weights weights = kKeepsWeights ? kept : load_weights(t, at);
  if constexpr (kManyTurns) {
    ft_keep_order();
  } else {
    ft_keep_all_order();
  }
#if FT_HAS_Y
  const Rows target = target_of(t, at);
#endif
  // Never true: the compiler keeps what waits for loads behind it, and addresses are computed in
  // the meantime.
  if (!kManyTurns && items == 0) return;
  Chunk<Normed> normed[kPerThread];
  float factor[kPerThread];
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    factor[k] = 0.0f;
    if (!has(at, k)) continue;
    normed[k] = norm_input(input.x[k], input.z[k]);
    factor[k] = sum_of_squares(normed[k]);
  }
  reduce<FT_NORM_GROUP == FT_SEGMENT, FT_NORM_LANES, false>(factor, turn);
  Chunk<ft_fp32> values[kPerThread];
  FT_UNROLL
  for (int k = 0; k < kPerThread; ++k) {
    if (!has(at, k)) continue;
    values[k] = normalise(normed[k], weights.affine[k % kWeights], group_scale(factor[k], eps));
#if FT_NORM_BEFORE_GATE == FT_NORM_BEFORE_GATE_ON
    values[k] = gate(values[k], input.z[k]);
#endif
#if FT_HAS_Y
    store_chunk<FT_TYPE_ACT>(target, 0, k * kRowThreads, convert<FT_TYPE_ACT>(values[k]));
#endif
  }
#if FT_QUANT != FT_QUANT_NONE
  quantise(t, values, at, turn);
#endif
}

FT_DEVICE Place place_of(ft_u32 item, ft_u32 first, ft_u32 items) {
  Place at;
  at.token = item / FT_SEGMENTS;
  at.segment = static_cast<int>(item % FT_SEGMENTS);
  at.first = static_cast<int>(first);
  at.exists = kWhole || item < items;
  return at;
}

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void rmsnorm_gated(const void* x, ft_i64 x_row_stride, const void* z, ft_i64 z_row_stride,
                   const void* weight,
#if FT_HAS_BIAS
                   const void* bias,
#endif
#if FT_HAS_Y
                   void* y, ft_i64 y_row_stride,
#endif
#if FT_HAS_Q
                   void* q, ft_i64 q_row_stride, void* scale, ft_i64 scale_row_stride,
#endif
                   ft_i64 tokens, float eps) {
  Tensors t = {};
  t.x = rows_of(x, x_row_stride);
  t.z = rows_of(z, z_row_stride);
  t.weight = weight;
#if FT_HAS_BIAS
  t.bias = bias;
#endif
#if FT_HAS_Y
  t.y = rows_of(y, y_row_stride);
#endif
#if FT_HAS_Q
  t.q = rows_of(q, q_row_stride);
  t.scale = rows_of(scale, scale_row_stride);
#endif
  const ft_u32 items = static_cast<ft_u32>(tokens) * FT_SEGMENTS;
  const ft_u32 own = ft_opaque(threadIdx.x);
  Weights kept = {};
  if constexpr (kKeepsWeights) kept = load_weights(t, place_of(0, own % kRowThreads, items));
  int turn = 0;
  // A grid has no block without segments: nothing is compared ahead of the first load.
  ft_u32 item = blockIdx.x * FT_ROWS_PER_ITER;
  if constexpr (!kManyTurns) {
    // What is constant in a loop is waited for ahead of its first load, so the first segments are
    // not in one. The threads of a grid are counted in 32 bits.
    const ft_u32 thread = blockIdx.x * FT_BLOCK_SIZE + own;
    norm_segment(t, kept, place_of(thread / kRowThreads, thread % kRowThreads, items), items, turn,
                 eps);
    turn ^= 1;
    item += gridDim.x * FT_ROWS_PER_ITER;
    if (!ft_grid_is_largest<FT_BLOCK_SIZE>() || item >= items) return;
  }
  do {
    // What follows from the thread is computed where it is used: ahead of the loop it would hold up
    // the first load.
    const ft_u32 thread = ft_opaque(own);
    const Place at = place_of(item + thread / kRowThreads, thread % kRowThreads, items);
    norm_segment(t, kept, at, items, turn, eps);
    turn ^= 1;
    item += gridDim.x * FT_ROWS_PER_ITER;
  } while (item < items);
}
