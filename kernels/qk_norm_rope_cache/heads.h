// Rows of one head of one token: which elements a lane has, the norm and the rotation. kLanes lanes
// share a row; each has kPerLane items of two chunks of kElements elements, the rotated ones as
// rope.h has them, so that both elements of a pair are one lane's.
#pragma once
#include "elements.h"
#include "rope.h"
#if FT_ROPE != FT_ROPE_NONE
#include "rope_arguments.h"
#endif

constexpr int kD = FT_HEAD_DIM;
constexpr int kItems = kD / (2 * kElements);
#ifdef FT_ROW_LANES
constexpr int kLanes = FT_ROW_LANES;
#else
constexpr int kLanes = kItems < FT_WAVE_SIZE ? kItems : FT_WAVE_SIZE;
#endif
constexpr int kPerLane = kItems / kLanes;
constexpr int kGroups = FT_BLOCK_SIZE / kLanes;  // rows that a block has at a time
constexpr int kQStride = FT_GATED == FT_GATED_ON ? 2 * kD : kD;

constexpr int kRotary = FT_ROPE == FT_ROPE_NONE ? 0 : FT_ROTARY_DIM;
typedef ft_rope_layout<FT_ROPE == FT_ROPE_NEOX, kRotary / 2, kElements> RopeLayout;

typedef ft_head_layout<RopeLayout, kRotary / 2, kD - kRotary, kElements> HeadLayout;
static_assert(HeadLayout::ITEMS == kItems, "what is not rotated is whole items");

// A lane's elements of a row as they lie in memory, and as numbers.
template <class T>
struct Stored {
  ft_pack<T, kElements> low[kPerLane], high[kPerLane];
};
struct Numbers {
  float low[kPerLane][kElements], high[kPerLane][kElements];
};

// `row` points at the head's first element.
template <class T>
FT_DEVICE Stored<T> load_row(const char* row, int lane) {
  constexpr int SIZE = static_cast<int>(sizeof(T));
  Stored<T> stored;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    const int item = lane + k * kLanes;
    const char* const low = row + HeadLayout::low(item) * SIZE;
    stored.low[k] = ft_load_pack<T, kElements>(low);
    stored.high[k] = ft_load_pack<T, kElements>(low + HeadLayout::apart(item) * SIZE);
  }
  return stored;
}

// Where a lane's items begin in a row.
struct Places {
  char* low[kPerLane];
};
// Addresses that wait behind the norm hold up the stores of small launches; computed ahead they
// take registers from large ones, which have many rows in flight.
#ifdef FT_PERSISTENT
constexpr bool kAhead = FT_PERSISTENT == FT_PERSISTENT_OFF && FT_ROWS_PER_ITER * kPerLane <= 2;
// Whether all lanes of a wave have one row, and blocks have as many rows as they take at a time.
// Then q, k and v are branches of their own from the first load to the last store, each with what
// it needs alone, and there is no loop.
constexpr bool kApart =
    kAhead && FT_ROWS_PER_ITER == 1 && kLanes == FT_WAVE_SIZE && FT_V_STORE != FT_V_STORE_GROUPED;
#else
constexpr bool kAhead = false;
constexpr bool kApart = false;
#endif

template <class T>
FT_DEVICE Places places_of(char* row, int lane) {
  constexpr int SIZE = static_cast<int>(sizeof(T));
  Places places;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    char* const low = row + HeadLayout::low(lane + k * kLanes) * SIZE;
    places.low[k] = kAhead ? ft_computed<kElements * SIZE>(low) : low;
  }
  return places;
}
template <class T>
FT_DEVICE void store_row(const Places& places, int lane, const Stored<T>& stored) {
  constexpr int SIZE = static_cast<int>(sizeof(T));
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    ft_store_pack<T, kElements>(places.low[k], stored.low[k]);
    ft_store_pack<T, kElements>(places.low[k] + HeadLayout::apart(lane + k * kLanes) * SIZE,
                                stored.high[k]);
  }
}
template <class T>
FT_DEVICE void store_row(char* row, int lane, const Stored<T>& stored) {
  store_row(places_of<T>(row, lane), lane, stored);
}

template <class T>
FT_DEVICE Numbers numbers_of(const Stored<T>& stored) {
  Numbers x;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      x.low[k][i] = ft_get(stored.low[k], i);
      x.high[k][i] = ft_get(stored.high[k], i);
    }
  }
  return x;
}
template <class T>
FT_DEVICE Stored<T> stored_of(const Numbers& x) {
  Stored<T> stored;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    stored.low[k] = ft_pack_of<T>(x.low[k]);
    stored.high[k] = ft_pack_of<T>(x.high[k]);
  }
  return stored;
}

#if FT_NORM != FT_NORM_NONE

FT_DEVICE float sum_of_squares(const Numbers& x) {
  float low = 0.0f, high = 0.0f;  // two sums: the steps of one wait for each other
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      low += x.low[k][i] * x.low[k][i];
      high += x.high[k][i] * x.high[k][i];
    }
  }
  return low + high;
}

FT_DEVICE float normed(float x, float scale, float weight) {
#if FT_NORM == FT_NORM_ONE_PLUS
  return x * scale * (1.0f + weight);
#else
  return x * scale * weight;
#endif
}

// The norm as it is rounded before the rotation: two elements at a time, as GPUs convert them.
FT_DEVICE void round_normed(float (&x)[kElements]) {
#if FT_MID_ROUNDING == FT_MID_ROUNDING_ON
  const auto rounded = ft_pack_of<FT_TYPE_ACT>(x);
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) x[i] = ft_get(rounded, i);
#else
  (void)x;
#endif
}

FT_DEVICE void norm_row(Numbers& x, const Stored<FT_TYPE_WEIGHT>& weight, float squares,
                        float eps) {
  const float scale = ft_rsqrt(squares * (1.0f / kD) + eps);
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      x.low[k][i] = normed(x.low[k][i], scale, ft_get(weight.low[k], i));
      x.high[k][i] = normed(x.high[k][i], scale, ft_get(weight.high[k], i));
    }
    round_normed(x.low[k]);
    round_normed(x.high[k]);
  }
}

#endif

#if FT_ROPE != FT_ROPE_NONE

// Where a lane rotates one item at most, the cosines and sines of it are in flight before the norm.
// The choice among three positions takes more scalar registers than variants with many rows in
// flight have.
constexpr bool kEarly = (RopeLayout::ITEMS <= kLanes || kPerLane == 1) &&
                        (Axes::COUNT == 1 || kAhead) && RopeLayout::ACROSS;
// Positions are asked for with the row, unless variants of many elements need the registers.
FT_DEVICE constexpr bool asks_positions() {
#ifdef FT_ROWS_PER_ITER
  return kEarly || FT_ROWS_PER_ITER * kPerLane * kElements <= 32;
#else
  return true;
#endif
}
constexpr int kTableElement = static_cast<int>(sizeof(FT_TYPE_TABLE));
constexpr int kEarlyWidth =
    kElements * kTableElement < FT_TABLE_ALIGN ? kElements : FT_TABLE_ALIGN / kTableElement;
typedef ft_table_angles<FT_TYPE_TABLE, Axes::COUNT, kElements, kEarlyWidth> Early;

// Where a lane's angles lie in the first row of the table. Computed ahead, only the row's number is
// waited for.
struct Columns {
  const char *cos, *sin;
};
FT_DEVICE Columns columns_of(const Rope& rope, int lane) {
  constexpr int ALIGN = kEarlyWidth * kTableElement;
  const int at = lane % RopeLayout::ITEMS * kElements * kTableElement;
  Columns columns = {rope.table.cos + at, rope.table.sin + at};
  if constexpr (kApart && kEarly) {
    columns.cos = ft_computed<ALIGN>(const_cast<char*>(columns.cos));
#if FT_HAS_COS_SIN
    columns.sin = columns.cos + FT_ROTARY_DIM / 2 * kTableElement;
#else
    columns.sin = ft_computed<ALIGN>(const_cast<char*>(columns.sin));
#endif
  }
  return columns;
}

// Asked for by all lanes and for all rows, also by those that rotate nothing: where some had none,
// they would choose between them and zeros, and wait for that before the sum of squares.
FT_DEVICE Early early_angles(const Rope& rope, const Columns& columns,
                             const ft_rope_rows<Axes::COUNT>& rows) {
  Early early;
  if constexpr (kEarly) {
    FT_UNROLL
    for (int axis = 0; axis < Axes::COUNT; ++axis) {
      const ft_i64 row = rows.axis[axis] * (rope.table.row_stride * kTableElement);
      ft_load_axis(early, axis, columns.cos + row, columns.sin + row);
    }
  }
  (void)rope, (void)columns, (void)rows;
  return early;
}

FT_DEVICE ft_angles<kElements> angles_of(const Early& early, int lane) {
  ft_angles<kElements> angles;
  ft_choose_angles<Axes>(early, lane % RopeLayout::ITEMS * kElements, angles.cos, angles.sin);
  return angles;
}

FT_DEVICE void rotate_row(Numbers& x, const Rope& rope, const ft_rope_rows<Axes::COUNT>& rows,
                          int lane, const Early& early) {
  // A lane's items are the same in every row. What follows from them, whether an item is rotated
  // and which axes its frequencies take, would be masks of the wave, more than there are registers
  // for.
  const int mine = ft_opaque(lane);
  if constexpr (kEarly) {
    // By choices instead of a branch: all lanes rotate, and some keep it.
    Numbers turned = x;
    ft_rotate_item<RopeLayout, ft_fp32>(turned.low[0], turned.high[0], angles_of(early, mine));
    const bool rotates = mine < RopeLayout::ITEMS;
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      x.low[0][i] = rotates ? turned.low[0][i] : x.low[0][i];
      x.high[0][i] = rotates ? turned.high[0][i] : x.high[0][i];
    }
  } else {
    FT_UNROLL
    for (int k = 0; k * kLanes < RopeLayout::ITEMS; ++k) {
      const int item = mine + k * kLanes;
      if (item >= RopeLayout::ITEMS) continue;
      const auto angles =
          ft_load_item_angles<RopeLayout, Axes, kElements, FT_TABLE_ALIGN>(rope.table, rows, item);
      ft_rotate_item<RopeLayout, ft_fp32>(x.low[k], x.high[k], angles);
    }
  }
  (void)rope, (void)rows, (void)early;
}

#endif
