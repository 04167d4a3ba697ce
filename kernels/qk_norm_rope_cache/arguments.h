// The arguments of the kernels, and what they become.
#pragma once

#if FT_GATED == FT_GATED_ON
#define FT_Q_NAME q_gated
#define FT_Q_STRIDE_NAME q_gated_row_stride
#else
#define FT_Q_NAME q
#define FT_Q_STRIDE_NAME q_row_stride
#endif

// The last one.
#define EPS , float eps

// Each of these ends with a comma where it is not empty.
#if FT_HQ > 0
#define Q_ARGUMENTS const void *FT_Q_NAME, ft_i64 FT_Q_STRIDE_NAME,
#define Q_OUT void *q_out, ft_i64 q_out_row_stride,
#else
#define Q_ARGUMENTS
#define Q_OUT
#endif
#if FT_NORM != FT_NORM_NONE
#define WEIGHTS Q_WEIGHT K_WEIGHT
#if FT_HAS_Q_WEIGHT
#define Q_WEIGHT const void *q_weight,
#else
#define Q_WEIGHT
#endif
#define K_WEIGHT const void *k_weight,
#define Q_NORM q_weight, eps
#define K_NORM k_weight, eps
#else
#define Q_WEIGHT
#define K_WEIGHT
#define Q_NORM nullptr, eps
#define K_NORM nullptr, eps
#define WEIGHTS
#endif
#if FT_ROPE == FT_ROPE_NONE
#define ROPE_ARGUMENTS
#elif FT_TABLE_LAYOUT == FT_TABLE_LAYOUT_PACKED
#define ROPE_ARGUMENTS const void *positions, ft_i64 positions_row_stride, const void *cos_sin,
#define ROPE_VALUE rope_of(positions, positions_row_stride, cos_sin, static_cast<const char *>(cos_sin) + kRotary / 2 * FT_BYTES_TABLE)
#else
#define ROPE_ARGUMENTS const void *positions, ft_i64 positions_row_stride, const void *cos, const void *sin,
#define ROPE_VALUE rope_of(positions, positions_row_stride, cos, sin)
#endif

#if FT_HAS_RUN_SLOTS
#define SLOTS const void *run_slots,
#define SLOTS_NAME run_slots
#elif FT_HAS_SLOTS
#define SLOTS const void *slots,
#define SLOTS_NAME slots
#else
#define SLOTS
#endif
#if FT_HAS_K_TENSOR_SCALE
#define TENSOR_SCALES const void *k_tensor_scale, const void *v_tensor_scale,
#else
#define TENSOR_SCALES
#endif
#if FT_HAS_V
#define V_ARGUMENTS const void *v, ft_i64 v_row_stride,
#else
#define V_ARGUMENTS
#endif
#if FT_HAS_K_OUT
#define K_OUT void *k_out, ft_i64 k_out_row_stride,
#else
#define K_OUT
#endif
#if FT_HAS_V_OUT
#define V_OUT void *v_out, ft_i64 v_out_row_stride,
#else
#define V_OUT
#endif

#if FT_HAS_K_CACHE
#define CACHES void *k_cache, ft_i64 k_cache_row_stride, void *v_cache, ft_i64 v_cache_row_stride,
#define SET_CACHES(cache)                                                          \
  cache.k = static_cast<char *>(k_cache), cache.k_stride = k_cache_row_stride;     \
  cache.v = static_cast<char *>(v_cache), cache.v_stride = v_cache_row_stride
#elif FT_HAS_K_CODES
#define CACHES void *k_codes, ft_i64 k_codes_row_stride, void *v_codes, ft_i64 v_codes_row_stride,
#define SET_CACHES(cache)                                                          \
  cache.k = static_cast<char *>(k_codes), cache.k_stride = k_codes_row_stride;     \
  cache.v = static_cast<char *>(v_codes), cache.v_stride = v_codes_row_stride
#elif FT_HAS_KV_CACHE
#define CACHES void *kv_cache, ft_i64 kv_cache_row_stride,
#define SET_CACHES(cache)                                                          \
  cache.k = cache.v = static_cast<char *>(kv_cache), cache.k_stride = cache.v_stride = kv_cache_row_stride
#elif FT_HAS_KV_CODES
#define CACHES void *kv_codes, ft_i64 kv_codes_row_stride,
#define SET_CACHES(cache)                                                          \
  cache.k = cache.v = static_cast<char *>(kv_codes), cache.k_stride = cache.v_stride = kv_codes_row_stride
#else
#define CACHES
#endif

#if FT_HAS_K_SCALE
#define SCALES void *k_scale, ft_i64 k_scale_row_stride, void *v_scale, ft_i64 v_scale_row_stride,
#define SET_SCALES(cache)                                                                  \
  cache.k_scale = static_cast<char *>(k_scale), cache.k_scale_stride = k_scale_row_stride; \
  cache.v_scale = static_cast<char *>(v_scale), cache.v_scale_stride = v_scale_row_stride
#elif FT_HAS_K_TENSOR_SCALE
#define SCALES
#define SET_SCALES(cache)                                                       \
  cache.k_scale = static_cast<char *>(const_cast<void *>(k_tensor_scale));      \
  cache.v_scale = static_cast<char *>(const_cast<void *>(v_tensor_scale))
#else
#define SCALES
#define SET_SCALES(cache)
#endif

#if FT_QUANT == FT_QUANT_PER_PAGE
#if FT_HAS_KV_CODES
#define K_CODES_NAME kv_codes
#define V_CODES_NAME kv_codes
#define K_CODES_STRIDE kv_codes_row_stride
#define V_CODES_STRIDE kv_codes_row_stride
#else
#define K_CODES_NAME k_codes
#define V_CODES_NAME v_codes
#define K_CODES_STRIDE k_codes_row_stride
#define V_CODES_STRIDE v_codes_row_stride
#endif
#define K_CODES void *K_CODES_NAME, ft_i64 K_CODES_STRIDE, void *k_scale, ft_i64 k_scale_row_stride,
#define V_CODES void *V_CODES_NAME, ft_i64 V_CODES_STRIDE, void *v_scale, ft_i64 v_scale_row_stride,
#endif

#if FT_CACHE != FT_CACHE_NONE
#define COUNTS ft_i64 tokens, ft_i64 num_blocks
#else
#define COUNTS ft_i64 tokens
#endif
