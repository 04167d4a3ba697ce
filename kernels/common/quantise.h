// fp8 codes of rows of chunks with a scale per group: for families with the options quant,
// quant_source, quant_op, scale_floor and the derived word transposed. Comes after chunks.h.
#pragma once
#include "codes.h"

#if FT_QUANT != FT_QUANT_NONE

// What is quantised of a normalised chunk.
FT_DEVICE Chunk<ft_fp32> quant_source(const Chunk<ft_fp32>& values) {
#if FT_QUANT_SOURCE == FT_QUANT_SOURCE_ROUNDED
  return convert<ft_fp32>(convert<FT_TYPE_ACT>(values));
#else
  return values;
#endif
}

FT_DEVICE float largest_magnitude(const Chunk<ft_fp32>& values) {
  float largest = 0.0f;
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) largest = larger_magnitude(largest, ft_get(values, i));
  return largest;
}

// What a scale is rounded to. ue8m0: the next power of two, the smallest normal one at least.
FT_DEVICE float rounded_scale(float scale) {
#if defined(FT_SCALE_ROUNDING) && FT_SCALE_ROUNDING == FT_SCALE_ROUNDING_UE8M0
  const float power = ft_bits_to_f32((ft_f32_to_bits(scale) + 0x7fffffu) & 0x7f800000u);
  return power > 0.0f ? power : ft_bits_to_f32(0x00800000u);
#else
  return scale;
#endif
}

// The scale of a group, from its largest magnitude; never 0.
FT_DEVICE float scale_of(float amax) {
#if FT_SCALE_FLOOR == FT_SCALE_FLOOR_AMAX_1E_10
  return rounded_scale((amax > 1e-10f ? amax : 1e-10f) / FT_TYPE_CODE::MAX);
#elif FT_SCALE_FLOOR == FT_SCALE_FLOOR_AMAX_512TH
  // A floor that comes after the rounding is no power of two.
  const float scale = rounded_scale(amax / FT_TYPE_CODE::MAX),
              floor = 1.0f / 512 / FT_TYPE_CODE::MAX;
  return scale > floor ? scale : floor;
#elif FT_SCALE_FLOOR == FT_SCALE_FLOOR_SCALE_1E_10
  return amax <= 1e-10f ? 1e-10f : rounded_scale(amax / FT_TYPE_CODE::MAX);
#else
  return amax == 0.0f ? 1.0f : rounded_scale(amax / FT_TYPE_CODE::MAX);
#endif
}

FT_DEVICE Chunk<FT_TYPE_CODE> codes_of(const Chunk<ft_fp32>& values, float scale) {
  float numbers[kElements];
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) numbers[i] = ft_get(values, i);
  code_operands(numbers, scale);
  return ft_pack_of<FT_TYPE_CODE>(numbers);
}

FT_DEVICE void store_scale(const Rows& scales, ft_i64 row, int group, float scale) {
  const ft_i64 at =
      FT_TRANSPOSED ? group * scales.row_stride + row : row * scales.row_stride + group;
  ft_store_pack<ft_fp32, 1>(scales.data + at * 4, ft_pack<ft_fp32, 1>{{{ft_f32_to_bits(scale)}}});
}

// Codes and scales of rows that lie in memory as they are quantised, `values`: SHARE threads have a
// group, and all of a block take part in the maxima.
template <int SHARE>
FT_DEVICE void quantise_rows(const Rows& codes, const Rows& scales, const Rows& values,
                             ft_i64 tokens) {
  constexpr int kGroupChunks = kChunks / FT_GROUPS, kAtATime = FT_BLOCK_SIZE / SHARE;
  const int lane = static_cast<int>(threadIdx.x) % SHARE;
  const ft_i64 groups = tokens * FT_GROUPS;
  int turn = 0;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * kAtATime; start < groups;
       start += static_cast<ft_i64>(gridDim.x) * kAtATime) {
    const ft_i64 item = start + static_cast<int>(threadIdx.x) / SHARE;
    const ft_i64 row = item / FT_GROUPS;
    const int group = static_cast<int>(item % FT_GROUPS);
    const int begin = group * kGroupChunks + lane,
              end = item < groups ? (group + 1) * kGroupChunks : 0;
    float largest = 0.0f;
    for (int chunk = begin; chunk < end; chunk += SHARE) {
      const float here = largest_magnitude(load_chunk<ft_fp32>(values, row, chunk));
      largest = here > largest ? here : largest;
    }
    const float scale = scale_of(ft_group_max<FT_BLOCK_SIZE, SHARE>(largest, turn));
    turn ^= 1;
    for (int chunk = begin; chunk < end; chunk += SHARE)
      store_chunk<FT_TYPE_CODE>(codes, row, chunk,
                                codes_of(load_chunk<ft_fp32>(values, row, chunk), scale));
    if (item < groups && lane == 0) store_scale(scales, row, group, scale);
  }
}

#endif
