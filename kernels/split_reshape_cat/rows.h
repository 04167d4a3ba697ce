// The rows that split_reshape_cat takes apart, as chunks of one vector access: shared by its
// implementations. Everything here is constant per code object; row numbers are 64 bits wide.
#pragma once

// No __restrict__: a load that comes first in the text is then not put behind a store.
#if FT_MERGED_ROWS
#define SRC_ROWS_PARAMETERS const void *qkvzba, ft_i64 qkvzba_row_stride
#define SRC_ROWS                                                                               \
  InputRows {                                                                                  \
    static_cast<const char*>(qkvzba), qkvzba_row_stride *FT_BYTES_ACT,                         \
        static_cast<const char*>(qkvzba) + FT_BA_OFFSET_BYTES, qkvzba_row_stride *FT_BYTES_ACT \
  }
#else
#define SRC_ROWS_PARAMETERS \
  const void *qkvz, ft_i64 qkvz_row_stride, const void *ba, ft_i64 ba_row_stride
#define SRC_ROWS                                                                                 \
  InputRows {                                                                                    \
    static_cast<const char*>(qkvz), qkvz_row_stride *FT_BYTES_ACT, static_cast<const char*>(ba), \
        ba_row_stride *FT_BYTES_BA                                                               \
  }
#endif

struct InputRows {
  const char* qkvz;
  ft_i64 qkvz_row_bytes;
  const char* ba;
  ft_i64 ba_row_bytes;
};

// Pieces of a row in chunks of `kBytes`. A chunk is numbered by its place in the outputs: [q | k |
// v] of mixed_qkv, then z.
template <int kBytes>
struct RowChunks {
  static constexpr ft_u32 kHk = FT_HK * FT_BYTES_ACT / kBytes;  // of one q or k head
  static constexpr ft_u32 kHv = FT_HV * FT_BYTES_ACT / kBytes;  // of one v or z head
  static constexpr ft_u32 kQ = FT_NK * kHk;
  static constexpr ft_u32 kZ = FT_NV * kHv;
  static constexpr ft_u32 kQkv = 2 * kQ + kZ;
  static constexpr ft_u32 kRow = kQkv + kZ;
  static constexpr ft_u32 kGroupV = FT_RATIO * kHv;        // v (or z) heads of one k head
  static constexpr ft_u32 kGroup = 2 * kHk + 2 * kGroupV;  // all that belongs to one k head
};

// Where the input row holds chunk `c`.
template <class Row>
FT_DEVICE ft_u32 source_chunk(ft_u32 c) {
#if FT_GROUPED_ROWS
  // By choices instead of branches: lanes of a wave have chunks of different parts.
  constexpr ft_u32 kV = 2 * Row::kQ, kZ = kV + Row::kZ;  // where they begin
  const ft_u32 part = c < Row::kQ ? 0 : c < kV ? Row::kQ : c < kZ ? kV : kZ;
  const ft_u32 of_group = c < Row::kQ ? 0
                          : c < kV    ? Row::kHk
                          : c < kZ    ? 2 * Row::kHk
                                      : 2 * Row::kHk + Row::kGroupV;
  const ft_u32 of_part = c - part;
  const ft_u32 k_head = c < kV ? of_part / Row::kHk : of_part / Row::kGroupV;
  return k_head * (Row::kGroup - (c < kV ? Row::kHk : Row::kGroupV)) + of_group + of_part;
#else
  return c;
#endif
}

// The l-th chunk (0 <= l < kGroup) of those that belong to k head `head`, in the order [q | k | v |
// z]: head times the chunks that a head has there, and what lies before them.
template <class Row>
FT_DEVICE ft_u32 head_chunk(ft_u32 head, ft_u32 l) {
  constexpr ft_u32 kV = 2 * Row::kHk, kZ = kV + Row::kGroupV;  // where they begin
  const ft_u32 before = l < Row::kHk ? 0
                        : l < kV     ? Row::kQ - Row::kHk
                        : l < kZ     ? 2 * Row::kQ - kV
                                     : Row::kQkv - kZ;
  return head * (l < kV ? Row::kHk : Row::kGroupV) + before + l;
}

// Where the input row holds that chunk.
template <class Row>
FT_DEVICE ft_u32 head_source(ft_u32 head, ft_u32 l) {
#if FT_GROUPED_ROWS
  return head * Row::kGroup + l;
#else
  return head_chunk<Row>(head, l);
#endif
}

// The chunk that the input row holds at place `source`.
template <class Row>
FT_DEVICE ft_u32 chunk_at(ft_u32 source) {
#if FT_GROUPED_ROWS
  return head_chunk<Row>(source / Row::kGroup, source % Row::kGroup);
#else
  return source;
#endif
}

// b and a in chunks of FT_BA_VECTOR_BYTES. The input row has groups [b | a] of FT_BA_RUN elements
// each: not even and odd elements. Rows without groups are one group.
struct BaChunks {
  static constexpr int kBytes = FT_BA_VECTOR_BYTES;
  static constexpr ft_u32 kAll = FT_BA_CHUNKS;
  static constexpr ft_u32 kHalf = kAll / 2;
  static constexpr ft_u32 kRun = FT_BA_RUN * FT_BYTES_BA / kBytes;
  static constexpr ft_u32 kGroup = 2 * kRun;
};

// The l-th chunk of a group, numbered as the outputs have them: b first.
FT_DEVICE ft_u32 ba_chunk(ft_u32 group, ft_u32 l) {
  return group * BaChunks::kRun + (l < BaChunks::kRun ? 0 : BaChunks::kHalf - BaChunks::kRun) + l;
}
