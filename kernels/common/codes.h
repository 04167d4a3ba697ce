// From numbers to fp8 codes with scales, one number at a time. For families with the option
// quant_op.
#pragma once

// NaNs do not count: their codes say what they are.
FT_DEVICE float larger_magnitude(float largest, float value) {
  const float magnitude = value < 0.0f ? -value : value;
  return magnitude > largest ? magnitude : largest;
}

#if FT_QUANT_OP == FT_QUANT_OP_DIVIDE && (defined(FT_AMD) || defined(FT_NVIDIA))
#define FT_DIVIDES_BY_INVERSE
#endif

// What is rounded to codes, of numbers that share a scale.
template <int COUNT>
FT_DEVICE void code_operands(float (&values)[COUNT], float scale) {
  const float inverse = 1.0f / scale;
#if defined(FT_DIVIDES_BY_INVERSE)
  if (scale >= ft_power_of_2(-60) && scale <= ft_power_of_2(60)) {
    FT_UNROLL
    for (int i = 0; i < COUNT; ++i) values[i] = ft_divide_by(values[i], scale, inverse);
    return;
  }
#endif
  FT_UNROLL
  for (int i = 0; i < COUNT; ++i) {
#if FT_QUANT_OP == FT_QUANT_OP_DIVIDE
    (void)inverse;
    values[i] = values[i] / scale;
#else
    values[i] = values[i] * inverse;
#endif
  }
}
