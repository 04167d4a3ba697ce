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
#else
#define ROPE_ARGUMENTS const void *positions, ft_i64 positions_row_stride, TABLE_PARAMETERS,
#define ROPE_VALUE rope_of(positions, positions_row_stride, TABLE)
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

// Caches hold elements or codes, k and v each in one of their own or both in one.
#define K_CACHE void *k_cache, ft_i64 k_cache_row_stride,
#define V_CACHE void *v_cache, ft_i64 v_cache_row_stride,
#define SET_K_CACHE(cache) \
  cache.k = static_cast<char*>(k_cache), cache.k_stride = k_cache_row_stride
#define SET_V_CACHE(cache) \
  cache.v = static_cast<char*>(v_cache), cache.v_stride = v_cache_row_stride
#if FT_CACHE == FT_CACHE_NONE
#define CACHES
#elif FT_COMBINED
#define CACHES K_CACHE
#define SET_CACHES(cache) SET_K_CACHE(cache), cache.v = cache.k, cache.v_stride = cache.k_stride
#else
#define CACHES K_CACHE V_CACHE
#define SET_CACHES(cache) SET_K_CACHE(cache), SET_V_CACHE(cache)
#endif

#define K_SCALE void *k_scale, ft_i64 k_scale_row_stride,
#define V_SCALE void *v_scale, ft_i64 v_scale_row_stride,
#define SET_K_SCALE(cache) \
  cache.k_scale = static_cast<char*>(k_scale), cache.k_scale_stride = k_scale_row_stride
#define SET_V_SCALE(cache) \
  cache.v_scale = static_cast<char*>(v_scale), cache.v_scale_stride = v_scale_row_stride
#if FT_HAS_K_SCALE
#define SCALES K_SCALE V_SCALE
#define SET_SCALES(cache) SET_K_SCALE(cache), SET_V_SCALE(cache)
#elif FT_HAS_K_TENSOR_SCALE
#define SCALES
#define SET_SCALES(cache)                                                \
  cache.k_scale = static_cast<char*>(const_cast<void*>(k_tensor_scale)), \
  cache.v_scale = static_cast<char*>(const_cast<void*>(v_tensor_scale))
#else
#define SCALES
#define SET_SCALES(cache)
#endif

#if FT_CACHE != FT_CACHE_NONE
#define COUNTS ft_i64 tokens, ft_i64 num_blocks
#else
#define COUNTS ft_i64 tokens
#endif
