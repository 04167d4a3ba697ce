// The arithmetic of rmsnorm_gated on one chunk: shared by its implementations.
#pragma once

constexpr int kHeadChunks = FT_HEAD_DIM / kElements;

// What the norm takes of a chunk: x, or x * act(z) in fp32.
#if FT_NORM_BEFORE_GATE == FT_NORM_BEFORE_GATE_ON
typedef FT_TYPE_ACT Normed;
#else
typedef ft_fp32 Normed;
#endif

// The factor that an element of z stands for.
FT_DEVICE float gate_factor(float z) {
#if FT_ACTIVATION == FT_ACTIVATION_SIGMOID
  return ft_sigmoid(z);
#else
  return z * ft_sigmoid(z);
#endif
}

template <class T>
FT_DEVICE Chunk<ft_fp32> gate(const Chunk<T>& values, const Chunk<FT_TYPE_ACT>& z) {
  Chunk<ft_fp32> result;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i)
    ft_set(result, i, ft_get(values, i) * gate_factor(ft_get(z, i)));
  return result;
}

// From the sum of a group's squares to what its elements are multiplied by.
FT_DEVICE float group_scale(float squares, float eps) {
  return ft_rsqrt(squares * (1.0f / FT_NORM_GROUP) + eps);
}

// Weight and bias of a chunk.
struct Affine {
  Chunk<FT_TYPE_WEIGHT> weight;
#if FT_HAS_BIAS
  Chunk<FT_TYPE_WEIGHT> bias;
#endif
};

FT_DEVICE Affine load_affine(const void* weight, const void* bias, int chunk) {
  Affine affine;
  affine.weight = load_weight(weight, chunk % kHeadChunks);
#if FT_HAS_BIAS
  affine.bias = load_weight(bias, chunk % kHeadChunks);
#else
  (void)bias;
#endif
  return affine;
}

// The normalised chunk with its weight and bias.
template <class T>
FT_DEVICE Chunk<ft_fp32> normalise(const Chunk<T>& values, const Affine& affine, float scale) {
  Chunk<ft_fp32> result;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    float value = ft_get(values, i) * scale;
#if FT_MID_ROUNDING == FT_MID_ROUNDING_ON
    value = ft_round_to<FT_TYPE_ACT>(value);
#endif
    value *= ft_get(affine.weight, i);
#if FT_MID_ROUNDING == FT_MID_ROUNDING_ON
    if (ft_is_same<FT_TYPE_WEIGHT, FT_TYPE_ACT>::value) value = ft_round_to<FT_TYPE_ACT>(value);
#endif
#if FT_HAS_BIAS
    value += ft_get(affine.bias, i);
#endif
    ft_set(result, i, value);
  }
  return result;
}
