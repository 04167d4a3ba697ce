// Rows of rmsnorm_gemma as chunks of one vector access, and the arithmetic on one chunk: shared by its implementations.
// Everything here is constant per code object; row numbers are 64 bits wide.
#pragma once

// A chunk: the elements of one access of x. In other tensors, whose elements may be wider, it may take more accesses.
#ifdef FT_VECTOR_BYTES
constexpr int kElements = FT_VECTOR_BYTES / FT_BYTES_ACT;
#else
constexpr int kElements = FT_VECTOR_BYTES_MAX / FT_BYTES_ACT;
#endif
constexpr int kChunks = FT_WIDTH / kElements;  // of one row

template <class T>
using Chunk = ft_pack<T, kElements>;

// The rows of a tensor; `row_stride` in elements.
struct Rows {
  char *data;
  ft_i64 row_stride;
};

FT_DEVICE Rows rows_of(const void *data, ft_i64 row_stride) {
  return Rows{static_cast<char *>(const_cast<void *>(data)), row_stride};
}

template <class T>
FT_DEVICE char *chunk_address(const Rows &rows, ft_i64 row, int chunk) {
  return rows.data + (row * rows.row_stride + chunk * kElements) * static_cast<int>(sizeof(T));
}
template <class T>
FT_DEVICE Chunk<T> load_chunk(const Rows &rows, ft_i64 row, int chunk) {
  return ft_load_pack<T, kElements>(chunk_address<T>(rows, row, chunk));
}
template <class T>
FT_DEVICE void store_chunk(const Rows &rows, ft_i64 row, int chunk, const Chunk<T> &values) {
  ft_store_pack<T, kElements>(chunk_address<T>(rows, row, chunk), values);
}

FT_DEVICE Chunk<FT_TYPE_WEIGHT> load_weight(const void *__restrict__ weight, int chunk) {
  return ft_load_pack<FT_TYPE_WEIGHT, kElements>(static_cast<const char *>(weight) +
                                                 chunk * kElements * FT_BYTES_WEIGHT);
}

// The weight of a column as a factor.
FT_DEVICE float factor(float weight) {
#if FT_WEIGHT_FORM == FT_WEIGHT_FORM_PLAIN
  return weight;
#elif FT_WEIGHT_FORM == FT_WEIGHT_FORM_ONE_PLUS_BF16
  return ft_round_to<ft_bf16>(1.0f + weight);
#else
  return 1.0f + weight;
#endif
}

template <class T>
FT_DEVICE float sum_of_squares(const Chunk<T> &values) {
  float sum = 0.0f;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float value = ft_get(values, i);
    sum += value * value;
  }
  return sum;
}

// From the sum of a row's squares to what its elements are multiplied by.
FT_DEVICE float row_scale(float squares, float eps) { return ft_rsqrt(squares * (1.0f / FT_WIDTH) + eps); }

template <class T>
FT_DEVICE Chunk<FT_TYPE_ACT> normalise(const Chunk<T> &values, const Chunk<FT_TYPE_WEIGHT> &weight, float scale) {
  Chunk<FT_TYPE_ACT> result;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    float normed = ft_get(values, i) * scale;
#if FT_MID_ROUNDING == FT_MID_ROUNDING_ON
    normed = ft_round_to<FT_TYPE_ACT>(normed);
#endif
    ft_set(result, i, normed * factor(ft_get(weight, i)));
  }
  return result;
}
