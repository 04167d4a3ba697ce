// Where a row of the result comes from: shared by the implementations. Row numbers have 32 bits,
// offsets 64.
#pragma once

#include "weight_rows.h"

// What a scale of the whole tensor becomes.
constexpr int kTensorScales = FT_TENSOR_SCALE == FT_TENSOR_SCALE_PER_PART ? FT_PARTS : 1;

struct Shard {
  int heads;  // of this rank
  int first;  // its first head in the checkpoint
  int all;    // heads of the checkpoint
};

FT_DEVICE Shard shard_of(ft_i64 nk, ft_i64 ranks, ft_i64 rank) {
  return {static_cast<int>(nk), static_cast<int>(rank * nk), static_cast<int>(ranks * nk)};
}

// Parts of the rows of a k head; each row stands for UNIT rows of weights.
template <int UNIT>
struct HeadRows {
  static constexpr int kQ = FT_QKVZ_ROWS ? FT_HK / UNIT : 0;
  static constexpr int kV = FT_QKVZ_ROWS ? FT_RATIO * FT_HV / UNIT : 0;
  static constexpr int kQkvz = 2 * kQ + 2 * kV;
  static constexpr int kBa = FT_BA_ROWS;
  static constexpr int kAll = kQkvz + kBa;
};

// Row `row` of a part that has SIZE rows of each head's GROUP, BEFORE of them before the part's.
template <int SIZE, int GROUP, int BEFORE>
FT_DEVICE int interleaved_row(const Shard& shard, int row) {
  return (shard.first + row / SIZE) * GROUP + BEFORE + row % SIZE;
}

// b and a are FT_RATIO rows each of every k head: not even and odd rows.
FT_DEVICE int interleaved_ba_row(const Shard& shard, int row) {
  const int half = shard.heads * FT_RATIO;
  return row < half ? interleaved_row<FT_RATIO, 2 * FT_RATIO, 0>(shard, row)
                    : interleaved_row<FT_RATIO, 2 * FT_RATIO, FT_RATIO>(shard, row - half);
}

// The row of the checkpoint that becomes row `row` of the result.
template <int UNIT>
FT_DEVICE int checkpoint_row(const Shard& shard, int row) {
  typedef HeadRows<UNIT> Rows;
#if FT_QKVZ_ROWS
  const int q = shard.heads * Rows::kQ;
  const int v = shard.heads * Rows::kV;
  if (row < q) return interleaved_row<Rows::kQ, Rows::kQkvz, 0>(shard, row);
  row -= q;
  if (row < q) return interleaved_row<Rows::kQ, Rows::kQkvz, Rows::kQ>(shard, row);
  row -= q;
  if (row < v) return interleaved_row<Rows::kV, Rows::kQkvz, 2 * Rows::kQ>(shard, row);
  row -= v;
  if (row < v) return interleaved_row<Rows::kV, Rows::kQkvz, 2 * Rows::kQ + Rows::kV>(shard, row);
  row -= v;
#endif
#if FT_BA_ROWS
  return shard.all * Rows::kQkvz + interleaved_ba_row(shard, row);
#else
  return 0;
#endif
}

template <int UNIT>
struct Checkpoint {
  const char* rows;
  ft_i64 stride;
  Shard shard;
  bool marked;  // its rows are this rank's and contiguous already
};

template <int UNIT>
FT_DEVICE const char* source_of(const Checkpoint<UNIT>& from, int row) {
  return from.rows + (from.marked ? row : checkpoint_row<UNIT>(from.shard, row)) * from.stride;
}
