// Rows of a norm as chunks of one vector access, and what every norm does with a chunk. For
// families with the symbols width and vector_bytes_max and the types act and weight: a row has
// FT_WIDTH elements. All but row numbers is constant per code object; their offsets have 64 bits.
#pragma once
#include "elements.h"

constexpr int kChunks = FT_WIDTH / kElements;  // of one row

// A chunk: the elements of one access of x. In other tensors, whose elements may be wider, it may
// take more accesses.
template <class T>
using Chunk = ft_pack<T, kElements>;

// The rows of a tensor; `row_stride` in elements.
struct Rows {
  char* data;
  ft_i64 row_stride;
};

FT_DEVICE Rows rows_of(const void* data, ft_i64 row_stride) {
  return Rows{static_cast<char*>(const_cast<void*>(data)), row_stride};
}

template <class T>
FT_DEVICE char* chunk_address(const Rows& rows, ft_i64 row, int chunk) {
  return rows.data + (row * rows.row_stride + chunk * kElements) * static_cast<int>(sizeof(T));
}
template <class T>
FT_DEVICE Chunk<T> load_chunk(const Rows& rows, ft_i64 row, int chunk) {
  return ft_load_pack<T, kElements>(chunk_address<T>(rows, row, chunk));
}
template <class T>
FT_DEVICE void store_chunk(const Rows& rows, ft_i64 row, int chunk, const Chunk<T>& values) {
  ft_store_pack<T, kElements>(chunk_address<T>(rows, row, chunk), values);
}

FT_DEVICE Chunk<FT_TYPE_WEIGHT> load_weight(const void* weight, int chunk) {
  return ft_load_pack<FT_TYPE_WEIGHT, kElements>(static_cast<const char*>(weight) +
                                                 chunk * kElements * FT_BYTES_WEIGHT);
}

template <class To, class From>
FT_DEVICE Chunk<To> convert(const Chunk<From>& values) {
  if constexpr (ft_is_same<To, From>::value) return values;
  float numbers[kElements];
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) numbers[i] = ft_get(values, i);
  return ft_pack_of<To>(numbers);
}

// By two sums: the steps of one wait for each other.
template <class T>
FT_DEVICE float sum_of_squares(const Chunk<T>& values) {
  float sums[2] = {};
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float value = ft_get(values, i);
    sums[i % 2] += value * value;
  }
  return sums[0] + sums[1];
}
