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

// The normalised chunk before its last rounding.
template <class T>
FT_DEVICE Chunk<ft_fp32> normalise(const Chunk<T> &values, const Chunk<FT_TYPE_WEIGHT> &weight, float scale) {
  Chunk<ft_fp32> result;
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

template <class To, class From>
FT_DEVICE Chunk<To> convert(const Chunk<From> &values) {
  Chunk<To> result;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) ft_set(result, i, ft_get(values, i));
  return result;
}

#if FT_QUANT != FT_QUANT_NONE

// What is quantised of a normalised chunk.
FT_DEVICE Chunk<ft_fp32> quant_source(const Chunk<ft_fp32> &values) {
#if FT_QUANT_SOURCE == FT_QUANT_SOURCE_ROUNDED
  return convert<ft_fp32>(convert<FT_TYPE_ACT>(values));
#else
  return values;
#endif
}

// NaNs do not count: their codes say what they are.
FT_DEVICE float largest_magnitude(const Chunk<ft_fp32> &values) {
  float largest = 0.0f;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float value = ft_get(values, i);
    const float magnitude = value < 0.0f ? -value : value;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

// The scale of a group, from its largest magnitude; never 0.
FT_DEVICE float scale_of(float amax) {
#if FT_SCALE_FLOOR == FT_SCALE_FLOOR_AMAX_1E_10
  return (amax > 1e-10f ? amax : 1e-10f) / FT_TYPE_CODE::MAX;
#elif FT_SCALE_FLOOR == FT_SCALE_FLOOR_AMAX_512TH
  return (amax > 1.0f / 512 ? amax : 1.0f / 512) / FT_TYPE_CODE::MAX;
#elif FT_SCALE_FLOOR == FT_SCALE_FLOOR_SCALE_1E_10
  return amax <= 1e-10f ? 1e-10f : amax / FT_TYPE_CODE::MAX;
#else
  return amax == 0.0f ? 1.0f : amax / FT_TYPE_CODE::MAX;
#endif
}

FT_DEVICE Chunk<FT_TYPE_CODE> codes_of(const Chunk<ft_fp32> &values, float scale) {
  Chunk<FT_TYPE_CODE> codes;
  const float inverse = 1.0f / scale;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    const float value = ft_get(values, i);
#if FT_QUANT_OP == FT_QUANT_OP_DIVIDE
    (void)inverse;
    ft_set(codes, i, value / scale);
#else
    ft_set(codes, i, value * inverse);
#endif
  }
  return codes;
}

FT_DEVICE void store_scale(const Rows &scales, ft_i64 row, int group, float scale) {
  const ft_i64 at = FT_TRANSPOSED ? group * scales.row_stride + row : row * scales.row_stride + group;
  ft_store_pack<ft_fp32, 1>(scales.data + at * 4, ft_pack<ft_fp32, 1>{{{ft_f32_to_bits(scale)}}});
}

#endif
