// The rows that split_reshape_cat takes apart, as chunks of one vector access: shared by its
// implementations. Everything here is constant per code object; row numbers are 64 bits wide.
#pragma once

#if FT_MERGED_ROWS
#define SRC_ROWS_PARAMETERS const void* __restrict__ qkvzba, ft_i64 qkvzba_row_stride
#define SRC_ROWS                                                                               \
  InputRows {                                                                                  \
    static_cast<const char*>(qkvzba), qkvzba_row_stride *FT_BYTES_ACT,                         \
        static_cast<const char*>(qkvzba) + FT_BA_OFFSET_BYTES, qkvzba_row_stride *FT_BYTES_ACT \
  }
#else
#define SRC_ROWS_PARAMETERS                                                           \
  const void *__restrict__ qkvz, ft_i64 qkvz_row_stride, const void *__restrict__ ba, \
      ft_i64 ba_row_stride
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
  static constexpr int kHk = FT_HK * FT_BYTES_ACT / kBytes;  // of one q or k head
  static constexpr int kHv = FT_HV * FT_BYTES_ACT / kBytes;  // of one v or z head
  static constexpr int kQ = FT_NK * kHk;
  static constexpr int kZ = FT_NV * kHv;
  static constexpr int kQkv = 2 * kQ + kZ;
  static constexpr int kRow = kQkv + kZ;
  static constexpr int kGroupV = FT_RATIO * kHv;        // v (or z) heads of one k head
  static constexpr int kGroup = 2 * kHk + 2 * kGroupV;  // all that belongs to one k head
};

// Where the input row holds chunk `c`.
template <class Row>
FT_DEVICE int source_chunk(int c) {
#if FT_GROUPED_ROWS
  if (c < Row::kQ) return (c / Row::kHk) * Row::kGroup + c % Row::kHk;
  c -= Row::kQ;
  if (c < Row::kQ) return (c / Row::kHk) * Row::kGroup + Row::kHk + c % Row::kHk;
  c -= Row::kQ;
  const int part = c < Row::kZ ? 0 : Row::kGroupV;
  if (c >= Row::kZ) c -= Row::kZ;
  return (c / Row::kGroupV) * Row::kGroup + 2 * Row::kHk + part + c % Row::kGroupV;
#else
  return c;
#endif
}

// The l-th chunk (0 <= l < kGroup) of those that belong to k head `head`, in the order [q | k | v |
// z].
template <class Row>
FT_DEVICE int head_chunk(int head, int l) {
  if (l < Row::kHk) return head * Row::kHk + l;
  if (l < 2 * Row::kHk) return Row::kQ + head * Row::kHk + (l - Row::kHk);
  l -= 2 * Row::kHk;
  if (l < Row::kGroupV) return 2 * Row::kQ + head * Row::kGroupV + l;
  return Row::kQkv + head * Row::kGroupV + (l - Row::kGroupV);
}

// b and a in chunks of FT_BA_VECTOR_BYTES, b first.
struct BaChunks {
  static constexpr int kBytes = FT_BA_VECTOR_BYTES;
  static constexpr int kAll = FT_BA_CHUNKS;
  static constexpr int kHalf = kAll / 2;
};

// Where the input row holds chunk `c` of b and a.
FT_DEVICE int source_ba_chunk(int c) {
#if FT_GROUPED_ROWS
  // Per k head [b | a], FT_RATIO elements each: not even and odd elements.
  constexpr int kRun = FT_RATIO * FT_BYTES_BA / BaChunks::kBytes;
  const int part = c < BaChunks::kHalf ? 0 : kRun;
  if (c >= BaChunks::kHalf) c -= BaChunks::kHalf;
  return (c / kRun) * 2 * kRun + part + c % kRun;
#else
  return c;
#endif
}
