// Rows of the GDN projections, taken apart in one launch: every chunk is loaded once and stored
// once, in 16-byte accesses where the alignment class allows, several loads in flight per thread
// before the first store. No LDS, no barrier.
#include "ft.h"
#include "rows.h"

namespace {

using Row = RowChunks<FT_VECTOR_BYTES>;

constexpr int clamp_in_flight(int wanted) { return wanted < 1 ? 1 : wanted > 8 ? 8 : wanted; }

struct Outputs {
  char* mixed_qkv;
  char* z;
  char* b;
  char* a;
};

FT_DEVICE ft_vec<FT_VECTOR_BYTES> load_chunk(const char* from) {
#if FT_NONTEMPORAL == FT_NONTEMPORAL_ON
  return ft_load_nontemporal<FT_VECTOR_BYTES>(from);
#else
  return ft_load<FT_VECTOR_BYTES>(from);
#endif
}

FT_DEVICE void store_chunk(char* to, ft_vec<FT_VECTOR_BYTES> chunk) {
#if FT_NONTEMPORAL == FT_NONTEMPORAL_ON
  ft_store_nontemporal<FT_VECTOR_BYTES>(to, chunk);
#else
  ft_store<FT_VECTOR_BYTES>(to, chunk);
#endif
}

FT_DEVICE const char* chunk_source(const InputRows& in, ft_i64 row, int c) {
  return in.qkvz + row * in.qkvz_row_bytes + source_chunk<Row>(c) * FT_VECTOR_BYTES;
}

FT_DEVICE char* chunk_target(const Outputs& out, ft_i64 row, int c) {
  if (c < Row::kQkv) return out.mixed_qkv + (row * Row::kQkv + c) * FT_VECTOR_BYTES;
  return out.z + (row * Row::kZ + (c - Row::kQkv)) * FT_VECTOR_BYTES;
}

// Items [0, count) of a tile that starts at `row0`, `kWidth` items a row, kInFlight loads per
// thread before its stores. kHead: the items are those of k head `head`; otherwise they are whole
// rows.
template <int kWidth, int kInFlight, bool kHead>
FT_DEVICE void move_items(const InputRows& in, const Outputs& out, ft_i64 row0, int first,
                          int count, int head) {
  for (int base = static_cast<int>(threadIdx.x); base < count; base += kInFlight * FT_BLOCK_SIZE) {
    ft_vec<FT_VECTOR_BYTES> held[kInFlight];
    FT_UNROLL
    for (int u = 0; u < kInFlight; ++u) {
      const int item = base + u * FT_BLOCK_SIZE;
      if (item < count) {
        const int at = first + item;
        const int c = kHead ? head_chunk<Row>(head, at % kWidth) : at % kWidth;
        held[u] = load_chunk(chunk_source(in, row0 + at / kWidth, c));
      }
    }
    FT_UNROLL
    for (int u = 0; u < kInFlight; ++u) {
      const int item = base + u * FT_BLOCK_SIZE;
      if (item < count) {
        const int at = first + item;
        const int c = kHead ? head_chunk<Row>(head, at % kWidth) : at % kWidth;
        store_chunk(chunk_target(out, row0 + at / kWidth, c), held[u]);
      }
    }
  }
}

FT_DEVICE ft_vec<BaChunks::kBytes> load_ba(const InputRows& in, ft_i64 row, int c) {
  return ft_load<BaChunks::kBytes>(in.ba + row * in.ba_row_bytes +
                                   source_ba_chunk(c) * BaChunks::kBytes);
}

FT_DEVICE void store_ba(const Outputs& out, ft_i64 row, int c, ft_vec<BaChunks::kBytes> chunk) {
  char* const to = c < BaChunks::kHalf
                       ? out.b + (row * BaChunks::kHalf + c) * BaChunks::kBytes
                       : out.a + (row * BaChunks::kHalf + (c - BaChunks::kHalf)) * BaChunks::kBytes;
  ft_store<BaChunks::kBytes>(to, chunk);
}

#if FT_MAPPING != FT_MAPPING_FLAT

#if FT_MAPPING == FT_MAPPING_ROW_HEAD
constexpr bool kPerHead = true;
constexpr int kWidth = Row::kGroup;
#else
constexpr bool kPerHead = false;
constexpr int kWidth = Row::kRow;
#endif
constexpr int kTileInFlight =
    clamp_in_flight((FT_ROWS_PER_ITER * kWidth + FT_BLOCK_SIZE - 1) / FT_BLOCK_SIZE);

// Rows [row0, row0 + rows) of the block's share. The first chunk of b and a is in flight while the
// row itself moves.
FT_DEVICE void move_tile(const InputRows& in, const Outputs& out, ft_i64 row0, int rows, int head) {
  const int ba_first = kPerHead ? head * BaChunks::kAll / FT_NK : 0;
  const int ba_width = kPerHead ? (head + 1) * BaChunks::kAll / FT_NK - ba_first : BaChunks::kAll;
  const int ba_count = rows * ba_width;
  int item = static_cast<int>(threadIdx.x);
  ft_vec<BaChunks::kBytes> held;
  if (item < ba_count) held = load_ba(in, row0 + item / ba_width, ba_first + item % ba_width);

  move_items<kWidth, kTileInFlight, kPerHead>(in, out, row0, 0, rows * kWidth, head);

  if (item < ba_count) store_ba(out, row0 + item / ba_width, ba_first + item % ba_width, held);
  for (item += FT_BLOCK_SIZE; item < ba_count; item += FT_BLOCK_SIZE) {
    const ft_i64 row = row0 + item / ba_width;
    const int c = ba_first + item % ba_width;
    store_ba(out, row, c, load_ba(in, row, c));
  }
}

#if FT_ZERO_FILL == FT_ZERO_FILL_ON
FT_DEVICE void zero_tile(char* core_attn_out, ft_i64 row0, int rows, int head,
                         ft_i64 num_actual_tokens) {
  constexpr int kZeroWidth = kPerHead ? Row::kGroupV : Row::kZ;
  for (int item = static_cast<int>(threadIdx.x); item < rows * kZeroWidth; item += FT_BLOCK_SIZE) {
    const ft_i64 row = row0 + item / kZeroWidth;
    const int c = (kPerHead ? head * Row::kGroupV : 0) + item % kZeroWidth;
    if (row >= num_actual_tokens)
      store_chunk(core_attn_out + (row * Row::kZ + c) * FT_VECTOR_BYTES, ft_vec<FT_VECTOR_BYTES>{});
  }
}
#endif

#else

// The line of all chunks of all rows; rows_per_iter of them per thread and tile.
FT_DEVICE void move_line(const InputRows& in, const Outputs& out, ft_i64 tokens) {
  constexpr int kTile = FT_BLOCK_SIZE * FT_ROWS_PER_ITER;
  const ft_i64 all = tokens * Row::kRow;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * kTile; start < all;
       start += static_cast<ft_i64>(gridDim.x) * kTile) {
    const ft_i64 left = all - start;
    const ft_i64 row0 = start / Row::kRow;
    move_items<Row::kRow, clamp_in_flight(FT_ROWS_PER_ITER), false>(
        in, out, row0, static_cast<int>(start - row0 * Row::kRow),
        left < kTile ? static_cast<int>(left) : kTile, 0);
  }
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 item = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x;
       item < tokens * BaChunks::kAll; item += stride) {
    const ft_i64 row = item / BaChunks::kAll;
    const int c = static_cast<int>(item % BaChunks::kAll);
    store_ba(out, row, c, load_ba(in, row, c));
  }
}

#if FT_ZERO_FILL == FT_ZERO_FILL_ON
FT_DEVICE void zero_line(char* core_attn_out, ft_i64 tokens, ft_i64 num_actual_tokens) {
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 c = num_actual_tokens * Row::kZ + static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE +
                  threadIdx.x;
       c < tokens * Row::kZ; c += stride)
    store_chunk(core_attn_out + c * FT_VECTOR_BYTES, ft_vec<FT_VECTOR_BYTES>{});
}
#endif

#endif

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void split_reshape_cat(SRC_ROWS_PARAMETERS, void* __restrict__ mixed_qkv, void* __restrict__ z,
                       void* __restrict__ b, void* __restrict__ a,
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
                       void* __restrict__ core_attn_out,
#endif
                       ft_i64 tokens
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
                       ,
                       ft_i64 num_actual_tokens
#endif
) {
  const InputRows in = SRC_ROWS;
  const Outputs out = {static_cast<char*>(mixed_qkv), static_cast<char*>(z), static_cast<char*>(b),
                       static_cast<char*>(a)};
#if FT_MAPPING == FT_MAPPING_FLAT
  move_line(in, out, tokens);
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
  zero_line(static_cast<char*>(core_attn_out), tokens, num_actual_tokens);
#endif
#else
#if FT_MAPPING == FT_MAPPING_CHUNK
  // Trailing blocks may start past the last row: signed numbers, so that their share is empty and
  // not huge.
  const ft_i64 share = (tokens + gridDim.x - 1) / gridDim.x;
  const ft_i64 begin = blockIdx.x * share;
  const ft_i64 end = begin + share < tokens ? begin + share : tokens;
  const ft_i64 step = FT_ROWS_PER_ITER;
#else
  const ft_i64 begin = static_cast<ft_i64>(blockIdx.x) * FT_ROWS_PER_ITER;
  const ft_i64 end = tokens;
  const ft_i64 step = static_cast<ft_i64>(gridDim.x) * FT_ROWS_PER_ITER;
#endif
  const int head = static_cast<int>(blockIdx.y);
  for (ft_i64 row = begin; row < end; row += step) {
    const int rows = end - row < FT_ROWS_PER_ITER ? static_cast<int>(end - row) : FT_ROWS_PER_ITER;
    move_tile(in, out, row, rows, head);
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
    zero_tile(static_cast<char*>(core_attn_out), row, rows, head, num_actual_tokens);
#endif
  }
#endif
}
