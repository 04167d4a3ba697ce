// Rows of the GDN projections, taken apart in one launch: every chunk is loaded once and stored
// once, in 16-byte accesses where the alignment class allows, several loads in flight per thread
// before the first store. Chunks are taken in the order of the input rows, so that little stands
// ahead of a load: where a chunk goes is found out while it is in flight. No LDS, no barrier.
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
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
  char* core_attn_out;
  ft_i64 num_actual_tokens;
#endif
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

FT_DEVICE const char* ba_source(const InputRows& in, ft_i64 row, ft_u32 source) {
  return in.ba + row * in.ba_row_bytes + source * BaChunks::kBytes;
}

FT_DEVICE char* ba_target(const Outputs& out, ft_i64 row, ft_u32 c) {
  const bool is_a = c >= BaChunks::kHalf;
  char* const to = (is_a ? out.a : out.b) + row * (BaChunks::kHalf * BaChunks::kBytes);
  return to + (is_a ? c - BaChunks::kHalf : c) * BaChunks::kBytes;
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
constexpr bool kWhole = kWidth % kTile == 0;  // every tile has kTile items
constexpr bool kOneRow = kWhole;              // per tile
constexpr bool kWholeRows = false;
#else
constexpr ft_u32 kTile = FT_ROWS_PER_ITER * kWidth;
constexpr bool kOneRow = FT_ROWS_PER_ITER == 1;
constexpr bool kWhole = kOneRow;
constexpr bool kWholeRows = true;
#endif
constexpr int kInFlight = clamp_in_flight((kTile + FT_BLOCK_SIZE - 1) / FT_BLOCK_SIZE);

// A tile: items [0, count), kWidth of them a row, from item `first` of row `row0` on. They are
// whole rows, or those of k head `head`. What of b and a goes with it: that of `ba_rows` rows from
// `ba_row0` on.
struct Tile {
  ft_i64 row0;
  ft_u32 first, count, head;
  ft_i64 ba_row0;
  ft_u32 ba_rows;
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
  return kOneRow ? tile.first + item : (tile.first + item) % kWidth;
}

// A thread's items are `item`, FT_BLOCK_SIZE further, and so on. REST: not its first ones.
template <bool REST>
FT_DEVICE Held load_items(const InputRows& in, const Tile& tile, ft_u32 item) {
  Held held;
  FT_UNROLL
  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {
    if (!(REST ? rest_is_whole() : all_have(u + 1)) && item >= tile.count) continue;
    const ft_u32 at = column_of(tile, item);
    const ft_u32 source = kPerHead ? head_source<Row>(tile.head, at) : at;
    held.chunk[u] = load_chunk(chunk_source(in, row_of(tile, item), source));
  }
  return held;
}

// Where they go. Comes behind their loads and ahead of the first store, which waits for them.
FT_DEVICE Targets targets_of(const Outputs& out, const Tile& tile, ft_u32 item) {
  Targets targets;
  FT_UNROLL
  for (int u = 0; u < kInFlight; ++u, item += FT_BLOCK_SIZE) {
    const ft_u32 at = column_of(tile, item);
    const ft_u32 c = kPerHead ? head_chunk<Row>(tile.head, at) : chunk_at<Row>(at);
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

// What a tile has of b and a, per row: all of it, or the share of its k head, which is a group; in
// rows without groups the last heads may have less, or none.
constexpr ft_u32 kBaWidth =
    kPerHead ? (BaChunks::kAll + FT_NK - 1) / FT_NK : static_cast<ft_u32>(BaChunks::kAll);
constexpr bool kBaEven = !kPerHead || BaChunks::kAll % FT_NK == 0;

struct BaPlace {
  ft_i64 row;
  ft_u32 group, l;  // the l-th chunk of the group
  bool exists;
};

FT_DEVICE BaPlace ba_place(const Tile& tile, ft_u32 item) {
  const ft_u32 of_row = kOneRow ? item : item % kBaWidth;
  BaPlace at;
  at.row = tile.ba_row0 + (kOneRow ? 0 : item / kBaWidth);
  if constexpr (kPerHead && BaChunks::kGroup == kBaWidth) {
    at.group = tile.head;
    at.l = of_row;
  } else if constexpr (BaChunks::kGroup == BaChunks::kAll) {
    at.group = 0;
    at.l = kPerHead ? tile.head * kBaWidth + of_row : of_row;
  } else {
    at.group = of_row / BaChunks::kGroup;
    at.l = of_row % BaChunks::kGroup;
  }
  at.exists = item < tile.ba_rows * kBaWidth && (kBaEven || at.l < BaChunks::kAll);
  return at;
}

FT_DEVICE const char* ba_source(const InputRows& in, const BaPlace& at) {
  return ba_source(in, at.row, at.group * BaChunks::kGroup + at.l);
}
FT_DEVICE char* ba_target(const Outputs& out, const BaPlace& at) {
  return ba_target(out, at.row, ba_chunk(at.group, at.l));
}

// The first chunk of b and a is in flight while the rows move.
FT_DEVICE void move_tile(const InputRows& in, const Outputs& out, const Tile& tile) {
  // What follows from the thread is computed where it is used, not ahead of the first load.
  const ft_u32 thread = ft_opaque(threadIdx.x);
  const Held held = load_items<false>(in, tile, thread);
  // By whole waves: those that have nothing of b and a pass by, and the others have no part of this
  // ahead of their rows.
  bool has_ba = false;
  char* first_target = nullptr;
  ft_vec<BaChunks::kBytes> first;
  if (thread / FT_WAVE_SIZE * FT_WAVE_SIZE < tile.ba_rows * kBaWidth) {
    const BaPlace ba = ba_place(tile, thread);
    has_ba = ba.exists;
    if (has_ba) first = ft_load<BaChunks::kBytes>(ba_source(in, ba));
    first_target = ft_computed<BaChunks::kBytes>(ba_target(out, ba));
  }
  const Targets targets = targets_of(out, tile, thread);
  ft_keep_order();
  store_items<false>(tile, thread, held, targets);
  if (has_ba) ft_store<BaChunks::kBytes>(first_target, first);
  move_rest(in, out, tile, thread);
  if constexpr (kWholeRows && FT_ROWS_PER_ITER * kBaWidth <= FT_BLOCK_SIZE) return;
  if constexpr (kOneRow && kBaWidth <= FT_BLOCK_SIZE) return;
  for (ft_u32 item = thread + FT_BLOCK_SIZE; item < tile.ba_rows * kBaWidth;
       item += FT_BLOCK_SIZE) {
    const BaPlace at = ba_place(tile, item);
    if (at.exists)
      ft_store<BaChunks::kBytes>(ba_target(out, at), ft_load<BaChunks::kBytes>(ba_source(in, at)));
  }
}

#if FT_MAPPING != FT_MAPPING_FLAT

#if FT_ZERO_FILL == FT_ZERO_FILL_ON
FT_DEVICE void zero_tile(const Outputs& out, ft_i64 row0, int rows, int head) {
  constexpr int kZeroWidth = kPerHead ? Row::kGroupV : Row::kZ;
  for (int item = static_cast<int>(threadIdx.x); item < rows * kZeroWidth; item += FT_BLOCK_SIZE) {
    const ft_i64 row = row0 + item / kZeroWidth;
    const int c = (kPerHead ? head * Row::kGroupV : 0) + item % kZeroWidth;
    if (row >= out.num_actual_tokens)
      store_chunk(out.core_attn_out + (row * Row::kZ + c) * FT_VECTOR_BYTES,
                  ft_vec<FT_VECTOR_BYTES>{});
  }
}
#endif

// Rows [row, row + FT_ROWS_PER_ITER), of those before `end`.
FT_DEVICE void move_rows(const InputRows& in, const Outputs& out, ft_i64 row, ft_i64 end,
                         int head) {
  const int rows = end - row < FT_ROWS_PER_ITER ? static_cast<int>(end - row) : FT_ROWS_PER_ITER;
  const ft_u32 there = kOneRow ? 1 : static_cast<ft_u32>(rows);
  move_tile(in, out, {row, 0, there * kWidth, static_cast<ft_u32>(head), row, there});
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
  zero_tile(out, row, rows, head);
#endif
}

#else

constexpr ft_u32 common_part(ft_u32 a, ft_u32 b) { return b == 0 ? a : common_part(b, a % b); }

// Tile `number` of the line of all chunks of all rows.
FT_DEVICE Tile line_tile(ft_i64 number, ft_i64 tokens) {
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
  // b and a go with the tile in which their row begins.
  if constexpr (kOneRow) return {row, first, kTile, 0, row, first == 0 ? 1u : 0u};
  const ft_i64 left = tokens * kWidth - number * kTile;
  const ft_u32 count = left < kTile ? static_cast<ft_u32>(left) : kTile;
  const ft_u32 begun = first == 0 ? 0 : 1, ended = (first + count + kWidth - 1) / kWidth;
  return {row, first, count, 0, row + begun, ended - begun};
}

#if FT_ZERO_FILL == FT_ZERO_FILL_ON
FT_DEVICE void zero_line(const Outputs& out, ft_i64 tokens) {
  const ft_i64 stride = static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE;
  for (ft_i64 c = out.num_actual_tokens * Row::kZ +
                  static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x;
       c < tokens * Row::kZ; c += stride)
    store_chunk(out.core_attn_out + c * FT_VECTOR_BYTES, ft_vec<FT_VECTOR_BYTES>{});
}
#endif

#endif

// Whether a block may have more than its first tile.
FT_DEVICE bool has_more_tiles() {
  return FT_PERSISTENT == FT_PERSISTENT_ON || ft_grid_is_largest<FT_BLOCK_SIZE>();
}

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
  const Outputs out = {
    static_cast<char*>(mixed_qkv),
    static_cast<char*>(z),
    static_cast<char*>(b),
    static_cast<char*>(a),
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
    static_cast<char*>(core_attn_out),
    num_actual_tokens,
#endif
  };
  // The first tile is not one of a loop: what repeating needs would stand ahead of its loads. No
  // block but those of the mapping by shares is without one: nothing is compared ahead of them.
#if FT_MAPPING == FT_MAPPING_FLAT
  ft_i64 number = blockIdx.x;
  Tile tile = line_tile(number, tokens);
  move_tile(in, out, tile);
  while (has_more_tiles()) {
    tile = line_tile(number += gridDim.x, tokens);
    if (tile.row0 >= tokens) break;
    move_tile(in, out, tile);
  }
#if FT_ZERO_FILL == FT_ZERO_FILL_ON
  zero_line(out, tokens);
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
  move_rows(in, out, begin, end, head);
  if (has_more_tiles())
    for (ft_i64 row = begin + step; row < end; row += step) move_rows(in, out, row, end, head);
#endif
}
