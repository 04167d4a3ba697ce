// Where a row of the result comes from: shared by the implementations. Row numbers have 32 bits,
// offsets 64.
#pragma once

#include "weight_rows.h"

struct Shard {
  int heads;  // of this rank
  int ranks;
  int rank;
};

// Rows that have been through a pass are those of one rank.
FT_DEVICE Shard shard_of(ft_i64 nk, ft_i64 ranks, ft_i64 rank, bool marked) {
  return {static_cast<int>(nk), marked ? 1 : static_cast<int>(ranks),
          marked ? 0 : static_cast<int>(rank)};
}

// Rows per k head of the parts; each row stands for UNIT rows of weights.
template <int UNIT>
struct PartRows {
#if FT_PROJECTION == FT_PROJECTION_QKVZ
  static constexpr int kQ = FT_HK / UNIT;
  static constexpr int kV = FT_RATIO * FT_HV / UNIT;
  static constexpr int kAll = 2 * kQ + 2 * kV;
  static constexpr int kLast = kV;
#else
  static constexpr int kAll = 2 * FT_RATIO;
  static constexpr int kLast = FT_RATIO;
#endif
  static constexpr int kFirst =
      FT_CHECKPOINT == FT_CHECKPOINT_SPLIT ? kAll - kLast : kAll;  // in the first tensor
};

// Row `row` of the result, in the part with SIZE rows per head and BEFORE in the parts before it:
// the whole parts before it, and of its own part the ranks before this one.
template <int SIZE, int BEFORE>
FT_DEVICE int part_row(const Shard& shard, int row) {
  return shard.heads * ((shard.ranks - 1) * BEFORE + shard.rank * SIZE) + row;
}

// The row of the checkpoint that becomes row `row` of the result; rows of the second tensor are
// counted on from the first.
template <int UNIT>
FT_DEVICE int checkpoint_row(const Shard& shard, int row) {
  typedef PartRows<UNIT> Rows;
#if FT_PROJECTION == FT_PROJECTION_QKVZ
  const int q = shard.heads * Rows::kQ;
  const int v = shard.heads * Rows::kV;
  if (row < q) return part_row<Rows::kQ, 0>(shard, row);
  if (row < 2 * q) return part_row<Rows::kQ, Rows::kQ>(shard, row);
  if (row < 2 * q + v) return part_row<Rows::kV, 2 * Rows::kQ>(shard, row);
  return part_row<Rows::kV, 2 * Rows::kQ + Rows::kV>(shard, row);
#else
  if (row < shard.heads * FT_RATIO) return part_row<FT_RATIO, 0>(shard, row);
  return part_row<FT_RATIO, FT_RATIO>(shard, row);
#endif
}

struct Matrix {
  const char* rows;
  ft_i64 stride;
};

FT_DEVICE Matrix matrix_of(const void* rows, ft_i64 stride_bytes) {
  return {static_cast<const char*>(rows), stride_bytes};
}

template <int UNIT>
struct Checkpoint {
  Matrix first;
  Matrix second;
  Shard shard;
};

template <int UNIT>
FT_DEVICE const char* source_of(const Checkpoint<UNIT>& from, int row) {
  const int at = checkpoint_row<UNIT>(from.shard, row);
#if FT_CHECKPOINT == FT_CHECKPOINT_SPLIT
  const int second = at - from.shard.ranks * from.shard.heads * PartRows<UNIT>::kFirst;
  if (second >= 0) return from.second.rows + second * from.second.stride;
#endif
  return from.first.rows + at * from.first.stride;
}

// One value per part, of the tensor that holds the part.
template <int BYTES>
FT_DEVICE void repeat_scales(const void* first, const void* second, void* to, ft_i64 stride) {
#if FT_CHECKPOINT == FT_CHECKPOINT_SPLIT
  repeat_scale<BYTES>(first, to, stride, FT_PARTS - 1);
  repeat_scale<BYTES>(second, static_cast<char*>(to) + (FT_PARTS - 1) * stride * BYTES, stride, 1);
#else
  (void)second;
  repeat_scale<BYTES>(first, to, stride, FT_PARTS);
#endif
}

#if FT_CHECKPOINT == FT_CHECKPOINT_SPLIT
#define SECOND(...) __VA_ARGS__
#else
#define SECOND(...)
#endif
