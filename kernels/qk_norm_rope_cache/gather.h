// Of a kernel's body: its arguments, as far as it has any, in `work`.
#if FT_HQ > 0
work.t.q = tensor_of(FT_Q_NAME, FT_Q_STRIDE_NAME);
work.t.q_out = tensor_of(q_out, q_out_row_stride);
#endif
#if FT_HAS_Q_WEIGHT
work.q_weight = static_cast<const char*>(q_weight);
#endif
work.t.k = tensor_of(k, k_row_stride);
#if FT_HAS_V
work.t.v = tensor_of(v, v_row_stride);
#endif
#if FT_HAS_K_OUT
work.t.k_out = tensor_of(k_out, k_out_row_stride);
#endif
#if FT_HAS_V_OUT
work.t.v_out = tensor_of(v_out, v_out_row_stride);
#endif
#if FT_NORM != FT_NORM_NONE
work.k_weight = static_cast<const char*>(k_weight);
work.eps = eps;
#else
(void)eps;
#endif
#if FT_ROPE != FT_ROPE_NONE
work.rope = ROPE_VALUE;
#endif
#if FT_CACHE != FT_CACHE_NONE
SET_CACHES(work.cache);
SET_SCALES(work.cache);
work.cache.slots = SLOTS_NAME;
work.cache.num_blocks = num_blocks;
#endif
