// What a rotation reads, whatever the options: positions, of one axis or of three, and the table of
// cosines and sines. For families with the options mrope and table_layout, the symbols rotary_dim
// and mrope_time, mrope_height and mrope_width, the types table and index, the derived word
// table_columns and the tensors cos_sin, or cos and sin.
#pragma once
#include "rope.h"

#if FT_MROPE == FT_MROPE_NONE
constexpr int kRule = FT_ROPE_TEXT;
#elif FT_MROPE == FT_MROPE_SECTIONED
constexpr int kRule = FT_ROPE_SECTIONED;
#else
constexpr int kRule = FT_ROPE_INTERLEAVED;
#endif
typedef ft_rope_axes<kRule, FT_MROPE_TIME, FT_MROPE_HEIGHT, FT_MROPE_WIDTH> Axes;

struct Rope {
  const void* positions;
  ft_i64 axis_stride;
  ft_rope_table<FT_TYPE_TABLE> table;
};

// Of a kernel's parameters, and what rope_of takes of them.
#if FT_HAS_COS_SIN
#define TABLE_PARAMETERS const void* cos_sin
#define TABLE cos_sin, static_cast<const char*>(cos_sin) + FT_ROTARY_DIM / 2 * FT_BYTES_TABLE
#else
#define TABLE_PARAMETERS const void *cos, const void *sin
#define TABLE cos, sin
#endif

FT_DEVICE Rope rope_of(const void* positions, ft_i64 axis_stride, const void* cos,
                       const void* sin) {
  return {positions,
          axis_stride,
          {static_cast<const char*>(cos), static_cast<const char*>(sin), FT_TABLE_COLUMNS}};
}

// A token's rows of the table.
FT_DEVICE ft_rope_rows<Axes::COUNT> rows_of(const Rope& rope, ft_i64 token) {
  return ft_load_positions<Axes::COUNT, FT_BYTES_INDEX>(rope.positions, rope.axis_stride, token);
}
FT_DEVICE ft_i64 row_of(const Rope& rope, ft_i64 token, int axis) {
  return ft_load_position<FT_BYTES_INDEX>(rope.positions, axis * rope.axis_stride + token);
}
