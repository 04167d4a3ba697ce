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

FT_DEVICE const char* chunk_source(const InputRows& in, ft_i64 row, ft_u32 c) {
  return in.qkvz + row * in.qkvz_row_bytes + c * FT_VECTOR_BYTES;
}

// Chosen without a branch: lanes of a wave may have chunks of different outputs.
FT_DEVICE char* chunk_target(const Outputs& out, ft_i64 row, ft_u32 c) {
  const bool is_z = c >= Row::kQkv;
  char* const to = is_z ? out.z + row * (Row::kZ * FT_VECTOR_BYTES)
                        : out.mixed_qkv + row * (Row::kQkv * FT_VECTOR_BYTES);
  return to + (is_z ? c - Row::kQkv : c) * FT_VECTOR_BYTES;
}

// `source`: where the row holds the chunk.
FT_DEVICE ft_vec<BaChunks::kBytes> load_ba(const InputRows& in, ft_i64 row, ft_u32 source) {
  return ft_load<BaChunks::kBytes>(in.ba + row * in.ba_row_bytes + source * BaChunks::kBytes);
}

FT_DEVICE char* ba_chunk_target(const Outputs& out, ft_i64 row, ft_u32 c) {
  const bool is_a = c >= BaChunks::kHalf;
  char* const to = (is_a ? out.a : out.b) + row * (BaChunks::kHalf * BaChunks::kBytes);
  return to + (is_a ? c - BaChunks::kHalf : c) * BaChunks::kBytes;
}
FT_DEVICE void store_ba(const Outputs& out, ft_i64 row, ft_u32 c, ft_vec<BaChunks::kBytes> chunk) {
  ft_store<BaChunks::kBytes>(ba_chunk_target(out, row, c), chunk);
}

#if FT_MAPPING == FT_MAPPING_ROW_HEAD
constexpr bool kPerHead = true;
constexpr ft_u32 kWidth = Row::kGroup;
#else
constexpr bool kPerHead = false;
constexpr ft_u32 kWidth = Row::kRow;
#endif
#if FT_MAPPING == FT_MAPPING_FLAT
constexpr ft_u32 kTile = FT_BLOCK_SIZE * FT_ROWS_PER_ITER;
constexpr bool kOneRow = false;               // per tile
constexpr bool kWhole = kWidth % kTile == 0;  // every tile has kTile items
#else
constexpr ft_u32 kTile = FT_ROWS_PER_ITER * kWidth;
constexpr bool kOneRow = FT_ROWS_PER_ITER == 1;
constexpr bool kWhole = kOneRow;
#endif
constexpr int kInFlight = clamp_in_flight((kTile + FT_BLOCK_SIZE - 1) / FT_BLOCK_SIZE);

// A tile: items [0, count), kWidth of them a row, from item `first` of row `row0` on. They are
// whole rows, or those of k head `head`.
struct Tile {
  ft_i64 row0;
  ft_u32 first, count, head;
};

struct Held {
  ft_vec<FT_VECTOR_BYTES> chunk[kInFlight];
};
struct Targets {
  char* chunk[kInFlight];
};

// Whether every thread has its items [0, turns) of every tile, and whether it has all kInFlight of
// those that come after its first ones.
constexpr bool all_have(int turns) {
  return kWhole && turns * FT_BLOCK_SIZE <= static_cast<int>(kTile);
}
constexpr bool rest_is_whole() { return kWhole && kTile % (kInFlight * FT_BLOCK_SIZE) == 0; }

FT_DEVICE ft_i64 row_of(const Tile& tile, ft_u32 item) {
  return kOneRow ? tile.row0 : tile.row0 + (tile.first + item) / kWidth;
}
FT_DEVICE ft_u32 column_of(const Tile& tile, ft_u32 item) {
  return kOneRow ? item : (tile.first + item) % kWidth;
}

// A thread's items are `item`, FT_BLOCK_SIZE further, and so on. REST: not its first ones.
template <bool REST>
FT_DEVICE Held load_items(const InputRows& in, const Tile& tile, ft_u32 item) {
  Held held;
  FT_UNROLL
  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {
    if (!(REST ? rest_is_whole() : all_have(u + 1)) && item >= tile.count) continue;
    const ft_u32 at = column_of(tile, item);
    const ft_u32 c = kPerHead ? head_source<Row>(tile.head, at) : source_chunk<Row>(at);
    held.chunk[u] = load_chunk(chunk_source(in, row_of(tile, item), c));
  }
  return held;
}

// Where they go. Comes behind their loads and ahead of the first store, which waits for them.
FT_DEVICE Targets targets_of(const Outputs& out, const Tile& tile, ft_u32 item) {
  Targets targets;
  FT_UNROLL
  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {
    const ft_u32 at = column_of(tile, item);
    const ft_u32 c = kPerHead ? head_chunk<Row>(tile.head, at) : at;
    targets.chunk[u] = ft_computed<FT_VECTOR_BYTES>(chunk_target(out, row_of(tile, item), c));
  }
  return targets;
}

template <bool REST>
FT_DEVICE void store_items(const Tile& tile, ft_u32 item, const Held& held,
                           const Targets& targets) {
  FT_UNROLL
  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {
    if (!(REST ? rest_is_whole() : all_have(u + 1)) && item >= tile.count) continue;
    store_chunk(targets.chunk[u], held.chunk[u]);
  }
}

// The items that come after those in flight first.
FT_DEVICE void move_rest(const InputRows& in, const Outputs& out, const Tile& tile, ft_u32 thread) {
  if constexpr (kInFlight * FT_BLOCK_SIZE < kTile) {
    for (ft_u32 item = thread + kInFlight * FT_BLOCK_SIZE; item < tile.count;
         item += kInFlight * FT_BLOCK_SIZE) {
      const Held held = load_items<true>(in, tile, item);
      store_items<true>(tile, item, held, targets_of(out, tile, item));
    }
  }
}

#if FT_MAPPING != FT_MAPPING_FLAT

// What a tile has of b and a: all of its rows, or of each the share of its k head, which has one
// chunk more in some heads than in others where the chunks of a row are not heads' multiples.
constexpr ft_u32 kBaWidth =
    kPerHead ? (BaChunks::kAll + FT_NK - 1) / FT_NK : static_cast<ft_u32>(BaChunks::kAll);
constexpr bool kBaEven = !kPerHead || BaChunks::kAll % FT_NK == 0;

struct BaPlace {
  ft_i64 row;
  ft_u32 c;
  bool exists;
};

FT_DEVICE BaPlace ba_place(ft_i64 row0, ft_u32 rows, ft_u32 head, ft_u32 item) {
  BaPlace at;
  at.row = row0 + (kOneRow ? 0 : item / kBaWidth);
  const ft_u32 first = kBaEven ? head * kBaWidth : head * BaChunks::kAll / FT_NK;
  const ft_u32 end = kBaEven ? first + kBaWidth : (head + 1) * BaChunks::kAll / FT_NK;
  at.c = (kPerHead ? first : 0) + (kOneRow ? item : item % kBaWidth);
  at.exists = item < rows * kBaWidth && (kBaEven || at.c < end);
  return at;
}

// Rows [row0, row0 + rows) of the block's share. The first chunk of b and a is in flight while the
// row itself moves.
FT_DEVICE void move_tile(const InputRows& in, const Outputs& out, ft_i64 row0, int rows, int head) {
  const Tile tile = {row0, 0, (kOneRow ? 1 : static_cast<ft_u32>(rows)) * kWidth,
                     static_cast<ft_u32>(head)};
  const ft_u32 ba_rows = kOneRow ? 1 : static_cast<ft_u32>(rows);
  // What follows from the thread is computed where it is used: ahead of the loop over tiles it
  // would hold up the first load.
  const ft_u32 thread = ft_opaque(threadIdx.x);
  const BaPlace ba = ba_place(row0, ba_rows, tile.head, thread);
  ft_vec<BaChunks::kBytes> first;
  if (ba.exists) first = load_ba(in, ba.row, source_ba_chunk(ba.c));
  ft_keep_order();
  const Held held = load_items<false>(in, tile, thread);
  const Targets targets = targets_of(out, tile, thread);
  char* const ba_target = ft_computed<BaChunks::kBytes>(ba_chunk_target(out, ba.row, ba.c));
  ft_keep_order();
  store_items<false>(tile, thread, held, targets);
  if (ba.exists) ft_store<BaChunks::kBytes>(ba_target, first);
  move_rest(in, out, tile, thread);
  if constexpr (FT_ROWS_PER_ITER * kBaWidth <= FT_BLOCK_SIZE) return;
  for (ft_u32 item = thread + FT_BLOCK_SIZE; item < ba_rows * kBaWidth; item += FT_BLOCK_SIZE) {
    const BaPlace at = ba_place(row0, ba_rows, tile.head, item);
    if (at.exists) store_ba(out, at.row, at.c, load_ba(in, at.row, source_ba_chunk(at.c)));
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

constexpr ft_u32 common_part(ft_u32 a, ft_u32 b) { return b == 0 ? a : common_part(b, a % b); }

// Tile `number` of the line of all chunks of all rows.
FT_DEVICE Tile line_tile(ft_i64 number, ft_i64 all) {
  // By what tiles and rows have in common: then 32 bits do for more than a GPU's memory holds.
  constexpr ft_u32 kPart = common_part(kTile, kWidth);
  ft_i64 row;
  ft_u32 first;
  if constexpr (kPart >= 64) {
    const ft_u32 part = static_cast<ft_u32>(number) * (kTile / kPart);
    row = part / (kWidth / kPart);
    first = part % (kWidth / kPart) * kPart;
  } else {
    row = number * kTile / kWidth;
    first = static_cast<ft_u32>(number * kTile - row * kWidth);
  }
  const ft_i64 left = all - number * kTile;
  return {row, first, left < kTile ? static_cast<ft_u32>(left) : kTile, 0};
}

// rows_per_iter chunks per thread and tile. The first chunk of b and a is in flight while the first
// tile moves.
FT_DEVICE void move_line(const InputRows& in, const Outputs& out, ft_i64 tokens) {
  const ft_i64 all = tokens * Row::kRow;
  const ft_i64 tiles = (all + kTile - 1) / kTile;
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  ft_i64 item = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x;
  bool first = item < tokens * BaChunks::kAll;
  ft_vec<BaChunks::kBytes> ba;
  // A grid has no block without tiles: nothing is compared ahead of the first load.
  ft_i64 number = blockIdx.x;
  do {
    const ft_u32 thread = ft_opaque(threadIdx.x);
    const Tile tile = line_tile(number, all);
    const Held held = load_items<false>(in, tile, thread);
    if (number == blockIdx.x && first)
      ba = load_ba(in, item / BaChunks::kAll,
                   source_ba_chunk(static_cast<ft_u32>(item % BaChunks::kAll)));
    store_items<false>(tile, thread, held, targets_of(out, tile, thread));
    move_rest(in, out, tile, thread);
    number += gridDim.x;
  } while (number < tiles);
  for (; item < tokens * BaChunks::kAll; item += stride) {
    const ft_i64 row = item / BaChunks::kAll;
    const ft_u32 c = static_cast<ft_u32>(item % BaChunks::kAll);
    store_ba(out, row, c, first ? ba : load_ba(in, row, source_ba_chunk(c)));
    first = false;
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
#if FT_MAPPING == FT_MAPPING_CHUNK
  if (begin >= end) return;
#endif
  // No other block is without rows: nothing is compared ahead of the first load.
  ft_i64 row = begin;
  do {
    const int rows = end - row < FT_ROWS_PER_ITER ? static_cast<int>(end - row) : FT_ROWS_PER_ITER;
    move_tile(in, out, row, rows, head);
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
    zero_tile(static_cast<char*>(core_attn_out), row, rows, head, num_actual_tokens);
#endif
    row += step;
  } while (row < end);
#endif
}
