// q and k rotated in one launch. A block works on FT_ROWS_PER_ITER tokens at a time, each by an
// equal share of its threads, which form slots of one head each; a thread has the same item of one
// head after another, so the angles of its pairs serve for all of them. No element is touched by
// two threads: q and k may be rotated in place.
#include "ft.h"
#include "heads.h"

namespace {

constexpr int kRowThreads = FT_BLOCK_SIZE / FT_ROWS_PER_ITER;
constexpr int kSlots = kRowThreads / kItems;                    // heads of a token at once
constexpr int kTurns = (FT_BLOCK_HEADS + kSlots - 1) / kSlots;  // heads of a thread
constexpr int kBatch = kTurns < 4 ? kTurns : 4;  // whose loads are in flight together
// Whether every thread has a slot, and in every turn a head.
constexpr bool kAllSlots = kSlots * kItems == kRowThreads;
constexpr bool kAllHeads = FT_HEADS == FT_BLOCK_HEADS * FT_HEAD_SPLIT &&
                           FT_BLOCK_HEADS == kTurns * kSlots && kTurns % kBatch == 0;

// Where a head begins, chosen without a branch: lanes of a wave may have heads of q and of k.
FT_DEVICE const char* source_of(const Heads& q, const Heads& k, ft_u32 token, int head) {
  const bool is_q = head < FT_Q_HEADS;
  const int column = is_q ? head * q.in_head_stride : (head - FT_Q_HEADS) * k.in_head_stride;
  return (is_q ? q.in : k.in) +
         (token * (is_q ? q.in_stride : k.in_stride) + column) * FT_BYTES_ACT;
}
FT_DEVICE char* target_of(const Heads& q, const Heads& k, ft_u32 token, int head) {
  const bool is_q = head < FT_Q_HEADS;
  const int column = is_q ? head * q.out_head_stride : (head - FT_Q_HEADS) * k.out_head_stride;
  return (is_q ? q.out : k.out) +
         (token * (is_q ? q.out_stride : k.out_stride) + column) * FT_BYTES_ACT;
}

// One item of some of every kSlots-th head from `first` to `end`: those of kBatch turns, and the
// heads that they go to.
struct Batch {
  Item items[kBatch];
  char* targets[kBatch];
};

FT_DEVICE Batch load_batch(const Heads& q, const Heads& k, ft_u32 token, int first, int end,
                           int item) {
  Batch batch;
  FT_UNROLL
  for (int i = 0; i < kBatch; ++i) {
    const int head = first + i * kSlots;
    if (kAllHeads || head < end) batch.items[i] = load_item(source_of(q, k, token, head), item);
  }
  FT_UNROLL
  for (int i = 0; i < kBatch; ++i) {
    char* const target = target_of(q, k, token, first + i * kSlots);
    // In place they are the sources, and at hand.
    batch.targets[i] =
        FT_IN_PLACE == FT_IN_PLACE_ON ? target : ft_computed<kElements * FT_BYTES_ACT>(target);
  }
  return batch;
}

FT_DEVICE void rotate_batch(const ft_angles<kElements>& angles, Batch& batch, int first, int end,
                            int item) {
  FT_UNROLL
  for (int i = 0; i < kBatch; ++i) {
    const int head = first + i * kSlots;
    if (kAllHeads || head < end) {
      if (item < kRotated) rotate_item(batch.items[i], angles);
      store_item(batch.targets[i], item, batch.items[i]);
    }
  }
}

// The turns after the first ones.
FT_DEVICE void rotate_rest(const Heads& q, const Heads& k, const ft_angles<kElements>& angles,
                           ft_u32 token, int first, int end, int item) {
  // Unrolled, the bounds of all turns at once are more than the scalar registers hold.
  FT_NO_UNROLL
  for (int turn = kBatch; turn < kTurns; turn += kBatch) {
    const int head = first + turn * kSlots;
    Batch batch = load_batch(q, k, token, head, end, item);
    rotate_batch(angles, batch, head, end, item);
  }
}

#if FT_ANGLES == FT_ANGLES_LDS

// The angles of a block's tokens, by frequency. Blocks alternate between two copies, so that one
// barrier per turn is enough.
struct Shared {
  float cos[FT_ROWS_PER_ITER][FT_HALF];
  float sin[FT_ROWS_PER_ITER][FT_HALF];
};

// Which of a block's angles a thread stages: frequency `i % FT_HALF` of row `i / FT_HALF`.
FT_DEVICE bool stages(ft_u32 i, ft_u32 row0, ft_u32 tokens) {
  return i < FT_ROWS_PER_ITER * FT_HALF && (FT_ROWS_PER_ITER == 1 || row0 + i / FT_HALF < tokens);
}
FT_DEVICE ft_i64 staged_row(const Rope& rope, ft_u32 i, ft_u32 row0) {
  return row_of(rope, row0 + i / FT_HALF, Axes::of(static_cast<int>(i % FT_HALF)));
}

FT_DEVICE void stage_angle(const Rope& rope, Shared& shared, ft_i64 table_row, ft_u32 i) {
  const ft_u32 row = i / FT_HALF, frequency = i % FT_HALF;
  const ft_i64 at = (table_row * rope.table.row_stride + frequency) * FT_BYTES_TABLE;
  shared.cos[row][frequency] = ft_get(ft_load_pack<FT_TYPE_TABLE, 1>(rope.table.cos + at), 0);
  shared.sin[row][frequency] = ft_get(ft_load_pack<FT_TYPE_TABLE, 1>(rope.table.sin + at), 0);
}

// The angles that the block's threads stage after their first ones.
FT_DEVICE void stage_rest(const Rope& rope, Shared& shared, ft_u32 row0, ft_u32 tokens) {
  if constexpr (FT_ROWS_PER_ITER * FT_HALF > FT_BLOCK_SIZE) {
    for (ft_u32 i = threadIdx.x + FT_BLOCK_SIZE; stages(i, row0, tokens); i += FT_BLOCK_SIZE)
      stage_angle(rope, shared, staged_row(rope, i, row0), i);
  }
  (void)rope, (void)shared, (void)row0, (void)tokens;
}

FT_DEVICE ft_angles<kElements> staged_angles(const Shared& shared, ft_u32 row, int item) {
  ft_angles<kElements> angles;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const int frequency = Layout::frequency(item, i);
    angles.cos[i] = shared.cos[row][frequency];
    angles.sin[i] = shared.sin[row][frequency];
  }
  return angles;
}

#endif

FT_DEVICE void rotate_tokens(const Rope& rope, const Heads& q, const Heads& k, ft_u32 tokens) {
#if FT_ANGLES == FT_ANGLES_LDS
  FT_SHARED Shared shared[2];
  int turn = 0;
#endif
  // A grid has no block without tokens: nothing is compared ahead of the first load.
  ft_u32 row0 = blockIdx.x * FT_ROWS_PER_ITER;
  do {
    // What follows from the thread is computed where it is used: ahead of the loop it would hold up
    // the first load.
    const ft_u32 thread = ft_opaque(threadIdx.x);
    const ft_u32 row = thread / kRowThreads;
    const int slot = static_cast<int>(thread % kRowThreads / kItems);
    const int item = static_cast<int>(thread % kRowThreads % kItems);
    const int start = static_cast<int>(blockIdx.y) * FT_BLOCK_HEADS;
    const int end = start + FT_BLOCK_HEADS < FT_HEADS ? start + FT_BLOCK_HEADS : FT_HEADS;
    const bool works =
        (kAllSlots || slot < kSlots) && (FT_ROWS_PER_ITER == 1 || row0 + row < tokens);
    // Positions first, since more loads depend on them; then heads, which depend on nothing.
#if FT_ANGLES == FT_ANGLES_LDS
    ft_i64 table_row = 0;
    if (stages(thread, row0, tokens)) table_row = staged_row(rope, thread, row0);
#else
    ft_rope_rows<Axes::COUNT> rows = {};
    if (works && item < kRotated) rows = rows_of(rope, row0 + row);
#endif
    Batch batch;
    if (works) batch = load_batch(q, k, row0 + row, start + slot, end, item);
    ft_keep_order();
    ft_angles<kElements> mine = {};
#if FT_ANGLES == FT_ANGLES_LDS
    if (stages(thread, row0, tokens)) stage_angle(rope, shared[turn], table_row, thread);
    stage_rest(rope, shared[turn], row0, tokens);
    ft_block_sync();
    if (works && item < kRotated) mine = staged_angles(shared[turn], row, item);
    turn ^= 1;
#else
    if (works && item < kRotated) mine = angles_of_rows(rope, rows, item);
#endif
    if (works) {
      rotate_batch(mine, batch, start + slot, end, item);
      rotate_rest(q, k, mine, row0 + row, start + slot, end, item);
    }
    row0 += gridDim.x * FT_ROWS_PER_ITER;
  } while (row0 < tokens);
}

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void mrope(POSITIONS_PARAMETERS, TABLE_PARAMETERS,
#if FT_IN_PLACE == FT_IN_PLACE_ON
           void* q, ft_i64 q_row_stride, void* k, ft_i64 k_row_stride,
#else
           const void* q, ft_i64 q_row_stride, const void* k, ft_i64 k_row_stride, void* q_out,
           ft_i64 q_out_row_stride, void* k_out, ft_i64 k_out_row_stride,
#endif
           ft_i64 tokens) {
#if FT_IN_PLACE == FT_IN_PLACE_OFF
  const Heads q_heads = {static_cast<const char*>(q), q_row_stride,     FT_Q_COLUMNS,
                         static_cast<char*>(q_out),   q_out_row_stride, FT_HEAD_DIM};
  const Heads k_heads = {static_cast<const char*>(k), k_row_stride,     FT_HEAD_DIM,
                         static_cast<char*>(k_out),   k_out_row_stride, FT_HEAD_DIM};
#else
  const Heads q_heads = {static_cast<const char*>(q), q_row_stride, FT_Q_COLUMNS,
                         static_cast<char*>(q),       q_row_stride, FT_Q_COLUMNS};
  const Heads k_heads = {static_cast<const char*>(k), k_row_stride, FT_HEAD_DIM,
                         static_cast<char*>(k),       k_row_stride, FT_HEAD_DIM};
#endif
  rotate_tokens(rope_of(POSITIONS, TABLE), q_heads, k_heads, static_cast<ft_u32>(tokens));
}
