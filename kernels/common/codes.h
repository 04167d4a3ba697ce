// From numbers to fp8 codes with scales, one number at a time. For families with the option
// quant_op.
#pragma once

// NaNs do not count: their codes say what they are.
FT_DEVICE float larger_magnitude(float largest, float value) {
  const float magnitude = value < 0.0f ? -value : value;
  return magnitude > largest ? magnitude : largest;
}

// What is rounded to a code; `inverse` is 1 / scale.
FT_DEVICE float code_operand(float value, float scale, float inverse) {
#if FT_QUANT_OP == FT_QUANT_OP_DIVIDE
  (void)inverse;
  return value / scale;
#else
  (void)scale;
  return value * inverse;
#endif
}
