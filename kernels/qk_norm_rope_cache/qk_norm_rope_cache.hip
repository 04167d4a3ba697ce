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

// A row as it is loaded, with its weights and what leads to its angles and its slot: all that does
// not depend on other loads is asked for at once.
struct Head {
  ft_u32 token;
  int of_all;  // heads of the token: q, then k, then v
  bool exists;
  Stored<FT_TYPE_ACT> in;
#if FT_NORM != FT_NORM_NONE
  Stored<FT_TYPE_WEIGHT> weight;
#endif
#if FT_ROPE != FT_ROPE_NONE
  ft_rope_rows<Axes::COUNT> table_rows;
  Columns columns;
#endif
#if FT_CACHE != FT_CACHE_NONE
  ft_i64 slot;
  float tensor_scale;
#endif
};

#if FT_ROPE == FT_ROPE_NONE
struct Early {};
#endif

#if FT_NORM == FT_NORM_NONE
#define FT_Q_WEIGHT(work) nullptr
#define FT_K_WEIGHT(work) nullptr
#else
#define FT_Q_WEIGHT(work) work.q_weight
#define FT_K_WEIGHT(work) work.k_weight
#endif

// The angles of a row, as far as they are asked for before its norm.
FT_DEVICE Early angles_ahead(const Work& work, const Head& loaded, int lane) {
#if FT_ROPE != FT_ROPE_NONE
  // Opaque where q and k have branches of their own: what both compute of the position first would
  // stand ahead of the branches, and wait there.
  ft_rope_rows<Axes::COUNT> rows = loaded.table_rows;
  FT_UNROLL
  for (int axis = 0; axis < Axes::COUNT && kApart; ++axis)
    rows.axis[axis] = ft_opaque(loaded.table_rows.axis[axis]);
  return early_angles(work.rope, kApart ? loaded.columns : columns_of(work.rope, lane), rows);
#else
  (void)work, (void)loaded, (void)lane;
  return {};
#endif
}

// A row of q or k after norm and rotation. All lanes of it take part; one that does not exist is
// computed from zeros.
FT_DEVICE void norm_and_rotate(Numbers& x, const Work& work, const Head& loaded, const Early& early,
                               int lane) {
#if FT_NORM != FT_NORM_NONE
  norm_row(x, loaded.weight, ft_wave_sum<kLanes>(sum_of_squares(x)), work.eps);
#endif
  if constexpr (kApart) ft_keep_order();  // the norm does not wait for angles
#if FT_ROPE != FT_ROPE_NONE
  ft_rope_rows<Axes::COUNT> rows = loaded.table_rows;
  if constexpr (!asks_positions()) {
    if (loaded.exists) rows = rows_of(work.rope, loaded.token);
  }
  if (kEarly || loaded.exists) rotate_row(x, work.rope, rows, lane, early);
#endif
  (void)x, (void)work, (void)loaded, (void)early, (void)lane;
}

#if FT_HAS_V && FT_CACHE != FT_CACHE_NONE
#define WRITE_TO_CACHE(IS_V, HEADS, row, x)                                                     \
  write_to_cache<IS_V, HEADS>(work.cache, loaded.exists ? loaded.slot : -1, head, lane, row, x, \
                              loaded.tensor_scale, ahead)
#else
#define WRITE_TO_CACHE(IS_V, HEADS, row, x) (void)0
#endif

#if FT_V_STORE == FT_V_STORE_GROUPED
constexpr int kHeads = FT_HQ + FT_HK;  // values are written behind them
#else
constexpr int kHeads = FT_HEADS;
#endif
constexpr bool kHasV = kHeads > FT_HQ + FT_HK;
constexpr ft_u32 kTile = kGroups * FT_ROWS_PER_ITER;  // rows of a block at a time
constexpr bool kWhole = kHeads % kTile == 0;          // which all exist

// Of q, k and v the one that a head is of, chosen without a branch: lanes of a wave may have heads
// of several.
template <class T>
FT_DEVICE T one_of(int of_all, T q, T k, T v) {
  return of_all < FT_HQ ? q : kHasV && of_all >= FT_HQ + FT_HK ? v : k;
}
FT_DEVICE int head_of(int of_all) { return of_all - one_of(of_all, 0, FT_HQ, FT_HQ + FT_HK); }

// Where q_out, k_out or v_out has the head.
FT_DEVICE char* target_of(const Tensors& t, const Head& loaded) {
  const int of_all = loaded.of_all;
  const ft_i64 row_stride =
      one_of(of_all, t.q_out.row_stride, t.k_out.row_stride, t.v_out.row_stride);
  return one_of(of_all, t.q_out.data, t.k_out.data, t.v_out.data) +
         (loaded.token * row_stride + head_of(of_all) * kD) * FT_BYTES_ACT;
}
FT_DEVICE bool has_target(int of_all) {
#if FT_HAS_K_OUT
  constexpr bool kOut = true;
#else
  constexpr bool kOut = false;
#endif
#if FT_HAS_V_OUT
  constexpr bool vOut = true;
#else
  constexpr bool vOut = false;
#endif
  return one_of(of_all, true, kOut, vOut);
}

FT_DEVICE Head head_at(ft_u32 row, ft_u32 rows) {
  Head loaded = {};
  loaded.token = row / kHeads;
  loaded.of_all = static_cast<int>(row % kHeads);
  loaded.exists = kWhole || row < rows;
  return loaded;
}

// What leads to angles, for values as well: then nothing is compared before.
FT_DEVICE void ask_position(const Work& work, Head& loaded) {
#if FT_ROPE != FT_ROPE_NONE
  if constexpr (asks_positions()) {
    if (loaded.exists) loaded.table_rows = rows_of(work.rope, loaded.token);
  }
#endif
  (void)work, (void)loaded;
}
// What leads to the cache.
FT_DEVICE void ask_slot(const Work& work, Head& loaded) {
#if FT_CACHE != FT_CACHE_NONE
  if (loaded.exists && loaded.of_all >= FT_HQ) loaded.slot = slot_of(work.cache, loaded.token);
#endif
  (void)work, (void)loaded;
}

// A row of q or k and its weights.
FT_DEVICE void ask_row(Head& loaded, const char* row, const char* weight, int lane) {
  loaded.in = load_row<FT_TYPE_ACT>(row, lane);
#if FT_NORM != FT_NORM_NONE
  loaded.weight = load_row<FT_TYPE_WEIGHT>(weight, lane);
#endif
  (void)weight;
}
FT_DEVICE void load_head(const Work& work, Head& loaded, int lane) {
  if (!loaded.exists) return;
  const int head = head_of(loaded.of_all);
  // By branches, unlike elsewhere: choices among the addresses of three tensors would wait for all
  // of them, one constant after the other.
  if (loaded.of_all < FT_HQ) {
    ask_row(loaded, head_address(work.t.q, loaded.token, head, kQStride), FT_Q_WEIGHT(work), lane);
  } else if (!kHasV || loaded.of_all < FT_HQ + FT_HK) {
    ask_row(loaded, head_address(work.t.k, loaded.token, head, kD), FT_K_WEIGHT(work), lane);
  } else {
    loaded.in = load_row<FT_TYPE_ACT>(head_address(work.t.v, loaded.token, head, kD), lane);
  }
#if FT_CACHE != FT_CACHE_NONE
  if (loaded.of_all >= FT_HQ)
    loaded.tensor_scale = load_tensor_scale(work.cache, loaded.of_all >= FT_HQ + FT_HK);
#endif
}

FT_DEVICE void do_head(const Work& work, const Head& loaded, int lane) {
  const int of_all = loaded.of_all;
  const bool is_v = kHasV && of_all >= FT_HQ + FT_HK;
  // Angles wait for positions alone, and are not to wait for the row as well.
  Early early;
  if (!(kApart && is_v)) early = angles_ahead(work, loaded, lane);
  const Places places = places_of<FT_TYPE_ACT>(target_of(work.t, loaded), lane);
#if FT_CACHE != FT_CACHE_NONE && FT_QUANT != FT_QUANT_PER_PAGE
  CachePlaces ahead = {};
  if constexpr (kApart) {
    if (of_all >= FT_HQ && !is_v)
      ahead = places_in_slot<false, FT_HK>(work.cache, loaded.slot < 0 ? 0 : loaded.slot,
                                           head_of(of_all), lane);
  }
#endif
  if (!(kApart && is_v)) ft_keep_own_order();
  Numbers x = numbers_of(loaded.in);
  if (!is_v) norm_and_rotate(x, work, loaded, early, lane);
  if (FT_QUANT == FT_QUANT_PER_PAGE && of_all >= FT_HQ) return;
  const Stored<FT_TYPE_ACT> out = is_v ? loaded.in : stored_of<FT_TYPE_ACT>(x);
  if (loaded.exists && has_target(of_all)) store_row(places, lane, out);
#if FT_QUANT != FT_QUANT_PER_PAGE
  const int head = head_of(of_all);
  if (of_all < FT_HQ) return;
  if (is_v) {
    WRITE_TO_CACHE(true, FT_HV, out, x);
  } else {
    WRITE_TO_CACHE(false, FT_HK, out, x);
  }
  (void)head;
#endif
}

// The row of a wave that has asked for its position.
FT_DEVICE void whole_head(const Work& work, Head& loaded, int lane) {
  ask_slot(work, loaded);
  load_head(work, loaded, lane);
#if FT_ROPE != FT_ROPE_NONE
  loaded.columns = columns_of(work.rope, lane);
#endif
  ft_keep_order();
  do_head(work, loaded, lane);
}

// The rows from `start` on that a block has at a time.
FT_DEVICE void do_tile(const Work& work, ft_u32 start, ft_u32 own, ft_u32 rows) {
  // What follows from the thread is computed where it is used: ahead of a loop it would hold up
  // the first load.
  const ft_u32 thread = ft_opaque(own);
  const int lane = static_cast<int>(thread % kLanes);
  if constexpr (kApart) {
    // From the thread's number in the grid, for which GPUs have the registers at hand.
    Head loaded = head_at((blockIdx.x * FT_BLOCK_SIZE + thread) / kLanes, rows);
    ask_position(work, loaded);
    if (kHasV && loaded.of_all >= FT_HQ + FT_HK) {
      whole_head(work, loaded, lane);
    } else if (loaded.of_all >= FT_HQ) {
      whole_head(work, loaded, lane);
    } else {
      whole_head(work, loaded, lane);
    }
  } else {
    const ft_u32 first = start + thread / kLanes;
    Head loaded[FT_ROWS_PER_ITER];
    FT_UNROLL
    for (int r = 0; r < FT_ROWS_PER_ITER; ++r) {
      loaded[r] = head_at(first + r * kGroups, rows);
      ask_position(work, loaded[r]);
      ask_slot(work, loaded[r]);
    }
    ft_keep_order();
    FT_UNROLL
    for (int r = 0; r < FT_ROWS_PER_ITER; ++r) load_head(work, loaded[r], lane);
    ft_keep_order();
    FT_UNROLL
    for (int r = 0; r < FT_ROWS_PER_ITER; ++r) do_head(work, loaded[r], lane);
  }
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
  const ft_u32 rows = static_cast<ft_u32>(tokens) * kHeads;
  const ft_u32 own = ft_opaque(threadIdx.x);
  // Where values are stored in groups there may be more blocks than rows of q and k need; elsewhere
  // no block is without rows, and nothing is compared ahead of the first load.
  constexpr bool kBlocksHaveRows = FT_V_STORE != FT_V_STORE_GROUPED;
  ft_u32 start = blockIdx.x * kTile;
  for (bool more = kBlocksHaveRows || start < rows; more; more = !kApart && start < rows) {
    do_tile(work, start, own, rows);
    start += gridDim.x * kTile;
  }
#if FT_V_STORE == FT_V_STORE_GROUPED
  write_values(work, tokens, static_cast<int>(threadIdx.x % kLanes),
               static_cast<int>(threadIdx.x / kLanes));
#endif
}

#if FT_QUANT == FT_QUANT_PER_PAGE

namespace {

// A row as it is quantised; `out`: as k_out holds it.
template <bool IS_V>
FT_DEVICE Numbers page_row(const Work& work, ft_i64 token, int head, bool exists, int lane,
                           Stored<FT_TYPE_ACT>& out) {
  Head loaded = {};
  loaded.token = static_cast<ft_u32>(token);
  loaded.exists = exists;
  if (exists) {
    loaded.in =
        load_row<FT_TYPE_ACT>(head_address(IS_V ? work.t.v : work.t.k, token, head, kD), lane);
#if FT_ROPE != FT_ROPE_NONE
    if constexpr (asks_positions() && !IS_V) loaded.table_rows = rows_of(work.rope, token);
#endif
  }
  if constexpr (IS_V) {
    out = loaded.in;
    return numbers_of(loaded.in);
  } else {
#if FT_NORM != FT_NORM_NONE
    loaded.weight = load_row<FT_TYPE_WEIGHT>(work.k_weight, lane);
#endif
#if FT_ROPE != FT_ROPE_NONE
    loaded.columns = columns_of(work.rope, lane);
#endif
    const Early early = angles_ahead(work, loaded, lane);
    Numbers x = numbers_of(loaded.in);
    norm_and_rotate(x, work, loaded, early, lane);
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
