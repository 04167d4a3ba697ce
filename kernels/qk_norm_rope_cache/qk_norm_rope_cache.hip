// Norm, rotation and cache write of all heads in one launch. The rows are the heads of q, k and v,
// token after token; kLanes lanes share one, and FT_ROWS_PER_ITER of them are in flight at a time.
// With a scale per page, k and v have a kernel of their own, a block for each run of slots.
#include "ft.h"
#include "heads.h"
#include "cache.h"
#include "arguments.h"

namespace {

struct Tensor {
  char* data;
  ft_i64 row_stride;
};

struct Tensors {
  Tensor q, k, v, q_out, k_out, v_out;
};

FT_DEVICE Tensor tensor_of(const void* data, ft_i64 row_stride) {
  return {static_cast<char*>(const_cast<void*>(data)), row_stride};
}
FT_DEVICE char* head_address(const Tensor& tensor, ft_i64 token, int head, int head_stride) {
  return tensor.data + (token * tensor.row_stride + head * head_stride) * FT_BYTES_ACT;
}

// The kernel's arguments, gathered.
struct Work {
  Tensors t;
#if FT_NORM != FT_NORM_NONE
  const char *q_weight, *k_weight;
  float eps;
#endif
#if FT_ROPE != FT_ROPE_NONE
  Rope rope;
#endif
#if FT_CACHE != FT_CACHE_NONE
  Cache cache;
#endif
};

// A row as it is loaded, with what leads to its angles and its slot: what depends on other loads is
// asked for as early as that.
struct Head {
  Stored<FT_TYPE_ACT> in;
#if FT_ROPE != FT_ROPE_NONE
  ft_i64 table_row;  // where angles are asked for early
#endif
#if FT_CACHE != FT_CACHE_NONE
  ft_i64 slot;
#endif
};

// A row of q or k after norm and rotation. All lanes of it take part; one that does not exist is
// computed from zeros.
FT_DEVICE void norm_and_rotate(Numbers& x, const Work& work, bool is_k, const Head& loaded,
                               ft_i64 token, bool exists, int lane) {
#if FT_ROPE != FT_ROPE_NONE
  const Early early = early_angles(work.rope, loaded.table_row, exists, lane);
#endif
#if FT_NORM != FT_NORM_NONE
  const float squares = ft_wave_sum<kLanes>(sum_of_squares(x));
  norm_row(x, load_row<FT_TYPE_WEIGHT>(is_k ? work.k_weight : work.q_weight, lane), squares,
           work.eps);
#endif
#if FT_ROPE != FT_ROPE_NONE
  if (exists) rotate_row(x, work.rope, token, lane, early);
#endif
  (void)x, (void)work, (void)is_k, (void)loaded, (void)token, (void)exists, (void)lane;
}

#if FT_HAS_V && FT_CACHE != FT_CACHE_NONE
#define WRITE_TO_CACHE(IS_V, HEADS, row, x) \
  write_to_cache<IS_V, HEADS>(work.cache, exists ? loaded.slot : -1, head, lane, row, x)
#else
#define WRITE_TO_CACHE(IS_V, HEADS, row, x) (void)0
#endif

#if FT_V_STORE == FT_V_STORE_GROUPED
constexpr int kHeads = FT_HQ + FT_HK;  // values are written behind them
#else
constexpr int kHeads = FT_HEADS;
#endif

FT_DEVICE Head load_head(const Work& work, ft_i64 token, int head, int lane) {
  const Tensors& t = work.t;
  const char* const row = head < FT_HQ ? head_address(t.q, token, head, kQStride)
                          : head < FT_HQ + FT_HK
                              ? head_address(t.k, token, head - FT_HQ, kD)
                              : head_address(t.v, token, head - FT_HQ - FT_HK, kD);
  Head loaded = {};
#if FT_ROPE != FT_ROPE_NONE
  if constexpr (kEarly) loaded.table_row = row_of(work.rope, token, 0);
#endif
#if FT_CACHE != FT_CACHE_NONE
  if (head >= FT_HQ) loaded.slot = slot_of(work.cache, token);
#endif
  loaded.in = load_row<FT_TYPE_ACT>(row, lane);
  return loaded;
}

FT_DEVICE void do_head(const Work& work, const Head& loaded, ft_i64 token, int of_all, bool exists,
                       int lane) {
  const Tensors& t = work.t;
  Numbers x = numbers_of(loaded.in);
  if (of_all < FT_HQ + FT_HK)
    norm_and_rotate(x, work, of_all >= FT_HQ, loaded, token, exists, lane);
  if (of_all < FT_HQ) {
    if (exists)
      store_row(head_address(t.q_out, token, of_all, kD), lane, stored_of<FT_TYPE_ACT>(x));
    return;
  }
#if FT_QUANT != FT_QUANT_PER_PAGE
  if (of_all < FT_HQ + FT_HK) {
    const int head = of_all - FT_HQ;
    const Stored<FT_TYPE_ACT> out = stored_of<FT_TYPE_ACT>(x);
#if FT_HAS_K_OUT
    if (exists) store_row(head_address(t.k_out, token, head, kD), lane, out);
#endif
    WRITE_TO_CACHE(false, FT_HK, out, x);
    (void)head, (void)out;
    return;
  }
#if FT_HAS_V
  const int head = of_all - FT_HQ - FT_HK;
#if FT_HAS_V_OUT
  if (exists) store_row(head_address(t.v_out, token, head, kD), lane, loaded.in);
#endif
  WRITE_TO_CACHE(true, FT_HV, loaded.in, x);
  (void)head;
#endif
#endif
}

}  // namespace

#if FT_V_STORE == FT_V_STORE_GROUPED
#include "groups.h"
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void qk_norm_rope_cache(Q_ARGUMENTS const void* k, ft_i64 k_row_stride,
                        V_ARGUMENTS WEIGHTS ROPE_ARGUMENTS SLOTS TENSOR_SCALES Q_OUT K_OUT V_OUT
                            CACHES SCALES COUNTS EPS) {
  Work work = {};
#include "gather.h"
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int group = static_cast<int>(threadIdx.x) / kLanes;
  constexpr int kTile = kGroups * FT_ROWS_PER_ITER;
  const ft_i64 rows = tokens * kHeads;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * kTile; start < rows;
       start += static_cast<ft_i64>(gridDim.x) * kTile) {
    Head loaded[FT_ROWS_PER_ITER] = {};
    FT_UNROLL
    for (int r = 0; r < FT_ROWS_PER_ITER; ++r) {
      const ft_i64 row = start + r * kGroups + group;
      if (row < rows)
        loaded[r] = load_head(work, row / kHeads, static_cast<int>(row % kHeads), lane);
    }
    FT_UNROLL
    for (int r = 0; r < FT_ROWS_PER_ITER; ++r) {
      const ft_i64 row = start + r * kGroups + group;
      do_head(work, loaded[r], row / kHeads, static_cast<int>(row % kHeads), row < rows, lane);
    }
  }
#if FT_V_STORE == FT_V_STORE_GROUPED
  write_values(work, tokens, lane, group);
#endif
}

#if FT_QUANT == FT_QUANT_PER_PAGE

namespace {

// A row as it is quantised; `out`: as k_out holds it.
template <bool IS_V>
FT_DEVICE Numbers page_row(const Work& work, ft_i64 token, int head, bool exists, int lane,
                           Stored<FT_TYPE_ACT>& out) {
  Head loaded = {};
  if (exists) {
    loaded.in =
        load_row<FT_TYPE_ACT>(head_address(IS_V ? work.t.v : work.t.k, token, head, kD), lane);
#if FT_ROPE != FT_ROPE_NONE
    if constexpr (kEarly && !IS_V) loaded.table_row = row_of(work.rope, token, 0);
#endif
  }
  if constexpr (IS_V) {
    out = loaded.in;
    return numbers_of(loaded.in);
  } else {
    Numbers x = numbers_of(loaded.in);
    norm_and_rotate(x, work, true, loaded, token, exists, lane);
    out = stored_of<FT_TYPE_ACT>(x);
    round_source(x);
    return x;
  }
}

template <bool IS_V>
FT_DEVICE void store_outputs(const Work& work, ft_i64 token, int head, int lane,
                             const Stored<FT_TYPE_ACT>& out) {
#if FT_HAS_K_OUT
  if constexpr (!IS_V) store_row(head_address(work.t.k_out, token, head, kD), lane, out);
#endif
#if FT_HAS_V_OUT
  if constexpr (IS_V) store_row(head_address(work.t.v_out, token, head, kD), lane, out);
#endif
  (void)work, (void)token, (void)head, (void)lane, (void)out;
}

}  // namespace

#define PAGE_OUT Stored<FT_TYPE_ACT>
#include "pages.h"

FT_KERNEL(FT_BLOCK_SIZE)
void write_key_pages(const void* k, ft_i64 k_row_stride,
                     K_WEIGHT ROPE_ARGUMENTS SLOTS K_OUT K_CACHE K_SCALE COUNTS EPS) {
  Work work = {};
  work.t.k = tensor_of(k, k_row_stride);
#if FT_HAS_K_OUT
  work.t.k_out = tensor_of(k_out, k_out_row_stride);
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
  SET_K_CACHE(work.cache);
  SET_K_SCALE(work.cache);
  work.cache.slots = SLOTS_NAME;
  work.cache.num_blocks = num_blocks;
  write_runs<false, FT_HK>(work, tokens, static_cast<int>(blockIdx.y));
}

FT_KERNEL(FT_BLOCK_SIZE)
void write_value_pages(V_ARGUMENTS SLOTS V_OUT V_CACHE V_SCALE COUNTS) {
  Work work = {};
  work.t.v = tensor_of(v, v_row_stride);
#if FT_HAS_V_OUT
  work.t.v_out = tensor_of(v_out, v_out_row_stride);
#endif
  SET_V_CACHE(work.cache);
  SET_V_SCALE(work.cache);
  work.cache.slots = SLOTS_NAME;
  work.cache.num_blocks = num_blocks;
  write_runs<true, FT_HV>(work, tokens, static_cast<int>(blockIdx.y));
}

#endif
