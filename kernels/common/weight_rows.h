#ifndef FUSETUNE_WEIGHT_ROWS_H
#define FUSETUNE_WEIGHT_ROWS_H
// Rows of weights and scales from one matrix to another in a new order, when a model is loaded. Row
// numbers have 32 bits, offsets 64. A From tells where a row of the result comes from: const char
// *source_of(const From &, int row).

#include "ft.h"

// One access of BYTES bytes; a single byte as well, which scales of MXFP4 may need.
template <int BYTES>
struct WeightChunk {
  ft_vec<BYTES> value;
  FT_DEVICE WeightChunk load(const char* from) {
#if defined(FT_NONTEMPORAL) && FT_NONTEMPORAL == FT_NONTEMPORAL_ON
    return {ft_load_nontemporal<BYTES>(from)};
#else
    return {ft_load<BYTES>(from)};
#endif
  }
  FT_DEVICE void store(char* to, WeightChunk chunk) {
#if defined(FT_NONTEMPORAL) && FT_NONTEMPORAL == FT_NONTEMPORAL_ON
    ft_store_nontemporal<BYTES>(to, chunk.value);
#else
    ft_store<BYTES>(to, chunk.value);
#endif
  }
};
template <>
struct WeightChunk<1> {
  ft_u8 value;
  FT_DEVICE WeightChunk load(const char* from) { return {*reinterpret_cast<const ft_u8*>(from)}; }
  FT_DEVICE void store(char* to, WeightChunk chunk) { *reinterpret_cast<ft_u8*>(to) = chunk.value; }
};

// What is left of a row behind its last whole chunk, element by element.
template <int ELEMENT>
FT_DEVICE void move_row_end(const char* from, char* to, int bytes) {
  for (int at = 0; at < bytes; at += ELEMENT) {
    WeightChunk<ELEMENT>::store(to + at, WeightChunk<ELEMENT>::load(from + at));
  }
}

// `count` rows of `row_bytes` bytes to `to`, rows `stride` bytes apart.
struct WeightRows {
  char* to;
  ft_i64 stride;
  int count;
  int row_bytes;
};

FT_DEVICE char* target_of(const WeightRows& rows, int row) { return rows.to + row * rows.stride; }

// How often a weight has been through such a pass.
FT_DEVICE int passes_of(const void* mark) { return *static_cast<const int*>(mark); }
FT_DEVICE void set_passes(void* mark, int passes) { *static_cast<int*>(mark) = passes; }

// Bytes of a row of weights with so many columns: MXFP4 has two in a byte.
FT_DEVICE int weight_row_bytes(ft_i64 columns) {
#if FT_SCALE_KIND == FT_SCALE_KIND_MXFP4
  return static_cast<int>(columns / 2);
#else
  return static_cast<int>(columns) * FT_BYTES_WEIGHT;
#endif
}

// Of its scales.
FT_DEVICE int scale_row_bytes(ft_i64 columns) {
#if FT_SCALE_KIND == FT_SCALE_KIND_BLOCK
  return static_cast<int>((columns + 127) / 128) * FT_BYTES_SCALE;
#elif FT_SCALE_KIND == FT_SCALE_KIND_MXFP4
  return static_cast<int>(columns / 32) * FT_BYTES_SCALE;
#else
  return FT_BYTES_SCALE;
#endif
}

// The scale of a whole tensor, for each of `count` parts.
template <int BYTES>
FT_DEVICE void repeat_scale(const void* scale, void* to, ft_i64 stride, int count) {
  const WeightChunk<BYTES> held = WeightChunk<BYTES>::load(static_cast<const char*>(scale));
  for (int part = 0; part < count; ++part) {
    WeightChunk<BYTES>::store(static_cast<char*>(to) + part * stride * BYTES, held);
  }
}

// The rows as one line of chunks, IN_FLIGHT of them per thread and turn, for all blocks of the
// grid.
template <int BYTES, int ELEMENT, int THREADS, int IN_FLIGHT, class From>
FT_DEVICE void move_line(const From& from, const WeightRows& rows) {
  const ft_u32 chunks = static_cast<ft_u32>((rows.row_bytes + BYTES - 1) / BYTES);
  const ft_u32 whole = static_cast<ft_u32>(rows.row_bytes / BYTES);
  const ft_i64 all = static_cast<ft_i64>(rows.count) * chunks;
  constexpr int TILE = THREADS * IN_FLIGHT;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * TILE; start < all;
       start += static_cast<ft_i64>(gridDim.x) * TILE) {
    const int row0 = static_cast<int>(start / chunks);
    const ft_u32 first = static_cast<ft_u32>(start - static_cast<ft_i64>(row0) * chunks);
    const ft_u32 count = all - start < TILE ? static_cast<ft_u32>(all - start) : TILE;
    WeightChunk<BYTES> held[IN_FLIGHT];
    FT_UNROLL
    for (int u = 0; u < IN_FLIGHT; ++u) {
      const ft_u32 item = threadIdx.x + u * THREADS;
      const ft_u32 at = first + item;
      if (item < count && at % chunks < whole) {
        held[u] = WeightChunk<BYTES>::load(source_of(from, row0 + static_cast<int>(at / chunks)) +
                                           at % chunks * BYTES);
      }
    }
    FT_UNROLL
    for (int u = 0; u < IN_FLIGHT; ++u) {
      const ft_u32 item = threadIdx.x + u * THREADS;
      const ft_u32 at = first + item;
      if (item >= count) continue;
      const int row = row0 + static_cast<int>(at / chunks);
      const ft_u32 offset = at % chunks * BYTES;
      if (at % chunks < whole) {
        WeightChunk<BYTES>::store(target_of(rows, row) + offset, held[u]);
      } else {
        move_row_end<ELEMENT>(source_of(from, row) + offset, target_of(rows, row) + offset,
                              rows.row_bytes - static_cast<int>(offset));
      }
    }
  }
}

// Each wave takes ROWS rows at a time, lanes next to each other along the rows: a row is looked up
// once.
template <int BYTES, int ELEMENT, int THREADS, int ROWS, class From>
FT_DEVICE void move_by_waves(const From& from, const WeightRows& rows) {
  constexpr int WAVES = THREADS / FT_WAVE_SIZE;
  const int whole = rows.row_bytes / BYTES;
  const int rest = rows.row_bytes - whole * BYTES;
  const ft_i64 step = static_cast<ft_i64>(gridDim.x) * (WAVES * ROWS);
  for (ft_i64 row0 = (static_cast<ft_i64>(blockIdx.x) * WAVES + ft_wave()) * ROWS;
       row0 < rows.count; row0 += step) {
    const int live = rows.count - row0 < ROWS ? static_cast<int>(rows.count - row0) : ROWS;
    const char* source[ROWS];
    char* target[ROWS];
    FT_UNROLL
    for (int u = 0; u < ROWS; ++u) {
      const int row = static_cast<int>(row0) + (u < live ? u : 0);
      source[u] = source_of(from, row);
      target[u] = target_of(rows, row);
    }
    for (int c = ft_lane(); c < whole; c += FT_WAVE_SIZE) {
      WeightChunk<BYTES> held[ROWS];
      FT_UNROLL
      for (int u = 0; u < ROWS; ++u) {
        if (u < live)
          held[u] = WeightChunk<BYTES>::load(source[u] + static_cast<ft_i64>(c) * BYTES);
      }
      FT_UNROLL
      for (int u = 0; u < ROWS; ++u) {
        if (u < live)
          WeightChunk<BYTES>::store(target[u] + static_cast<ft_i64>(c) * BYTES, held[u]);
      }
    }
    if (rest == 0 || ft_lane() != 0) continue;
    FT_UNROLL
    for (int u = 0; u < ROWS; ++u) {
      if (u < live) {
        const ft_i64 offset = static_cast<ft_i64>(whole) * BYTES;
        move_row_end<ELEMENT>(source[u] + offset, target[u] + offset, rest);
      }
    }
  }
}

// Rows [first, first + count) of the result, one per block at a time: what baselines do, part by
// part.
template <int BYTES, int ELEMENT, int THREADS, class From>
FT_DEVICE void copy_rows(const From& from, const WeightRows& rows, int first, int count) {
  const int whole = rows.row_bytes / BYTES;
  for (int row = first + static_cast<int>(blockIdx.x); row < first + count;
       row += static_cast<int>(gridDim.x)) {
    const char* const source = source_of(from, row);
    char* const target = target_of(rows, row);
    for (int c = static_cast<int>(threadIdx.x); c < whole; c += THREADS) {
      WeightChunk<BYTES>::store(target + c * BYTES, WeightChunk<BYTES>::load(source + c * BYTES));
    }
    if (threadIdx.x == 0) {
      move_row_end<ELEMENT>(source + whole * BYTES, target + whole * BYTES,
                            rows.row_bytes - whole * BYTES);
    }
  }
}

#endif
