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

struct Place {
  const char* in;
  char* out;
};

FT_DEVICE Place place_of(const Heads& q, const Heads& k, ft_i64 token, int head) {
  if (head < FT_Q_HEADS) return {source(q, token, head), target(q, token, head)};
  return {source(k, token, head - FT_Q_HEADS), target(k, token, head - FT_Q_HEADS)};
}

// One item of every kSlots-th head from `first` to `end`.
FT_DEVICE void rotate_heads(const Heads& q, const Heads& k, const ft_angles<kElements>& angles,
                            ft_i64 token, int first, int end, int item) {
  // Unrolled, the bounds of all turns at once are more than the scalar registers hold.
  FT_NO_UNROLL
  for (int turn = 0; turn < kTurns; turn += kBatch) {
    Item items[kBatch];
    FT_UNROLL
    for (int i = 0; i < kBatch; ++i) {
      const int head = first + (turn + i) * kSlots;
      if (head < end) items[i] = load_item(place_of(q, k, token, head).in, item);
    }
    FT_UNROLL
    for (int i = 0; i < kBatch; ++i) {
      const int head = first + (turn + i) * kSlots;
      if (head < end) {
        if (item < kRotated) rotate_item(items[i], angles);
        store_item(place_of(q, k, token, head).out, item, items[i]);
      }
    }
  }
}

#if FT_ANGLES == FT_ANGLES_LDS

// The angles of a block's tokens, by frequency. Blocks alternate between two copies, so that one
// barrier per turn is enough.
struct Shared {
  float cos[FT_ROWS_PER_ITER][FT_HALF];
  float sin[FT_ROWS_PER_ITER][FT_HALF];
};

FT_DEVICE void stage_angles(const Rope& rope, Shared& shared, ft_i64 row0, ft_i64 tokens) {
  for (int i = static_cast<int>(threadIdx.x); i < FT_ROWS_PER_ITER * FT_HALF; i += FT_BLOCK_SIZE) {
    const int row = i / FT_HALF, frequency = i % FT_HALF;
    if (row0 + row >= tokens) break;
    const ft_i64 table_row = row_of(rope, row0 + row, Axes::of(frequency));
    const ft_i64 at = (table_row * rope.table.row_stride + frequency) * FT_BYTES_TABLE;
    shared.cos[row][frequency] = ft_get(ft_load_pack<FT_TYPE_TABLE, 1>(rope.table.cos + at), 0);
    shared.sin[row][frequency] = ft_get(ft_load_pack<FT_TYPE_TABLE, 1>(rope.table.sin + at), 0);
  }
}

FT_DEVICE ft_angles<kElements> staged_angles(const Shared& shared, int row, int item) {
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

FT_DEVICE void rotate_tokens(const Rope& rope, const Heads& q, const Heads& k, ft_i64 tokens) {
  const int row = static_cast<int>(threadIdx.x) / kRowThreads;
  const int slot = static_cast<int>(threadIdx.x) % kRowThreads / kItems;
  const int item = static_cast<int>(threadIdx.x) % kRowThreads % kItems;
  const int start = static_cast<int>(blockIdx.y) * FT_BLOCK_HEADS;
  const int end = start + FT_BLOCK_HEADS < FT_HEADS ? start + FT_BLOCK_HEADS : FT_HEADS;
#if FT_ANGLES == FT_ANGLES_LDS
  FT_SHARED Shared shared[2];
  int turn = 0;
#endif
  for (ft_i64 row0 = static_cast<ft_i64>(blockIdx.x) * FT_ROWS_PER_ITER; row0 < tokens;
       row0 += static_cast<ft_i64>(gridDim.x) * FT_ROWS_PER_ITER) {
    const bool works = slot < kSlots && row0 + row < tokens;
    ft_angles<kElements> mine = {};
#if FT_ANGLES == FT_ANGLES_LDS
    stage_angles(rope, shared[turn], row0, tokens);
    ft_block_sync();
    if (works && item < kRotated) mine = staged_angles(shared[turn], row, item);
    turn ^= 1;
#else
    if (works && item < kRotated) mine = load_angles(rope, row0 + row, item);
#endif
    if (works) rotate_heads(q, k, mine, row0 + row, start + slot, end, item);
  }
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
  rotate_tokens(rope_of(POSITIONS, TABLE), q_heads, k_heads, tokens);
}
