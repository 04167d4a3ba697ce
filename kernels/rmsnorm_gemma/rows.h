// The arithmetic of rmsnorm_gemma on one chunk: shared by its implementations.
#pragma once

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

// From the sum of a row's squares to what its elements are multiplied by.
FT_DEVICE float row_scale(float squares, float eps) {
  return ft_rsqrt(squares * (1.0f / FT_WIDTH) + eps);
}

// The normalised chunk before its last rounding.
template <class T>
FT_DEVICE Chunk<ft_fp32> normalise(const Chunk<T>& values, const Chunk<FT_TYPE_WEIGHT>& weight,
                                   float scale) {
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
