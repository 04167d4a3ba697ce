// The baseline: norm, rotation and cache write as launches of their own, in the only right order,
// with fp32 rows between them in memory.
#include "ft.h"
#include "heads.h"
#include "cache.h"
#include "arguments.h"

namespace {

FT_DEVICE char* row_address(const void* data, ft_i64 offset, int bytes) {
  return static_cast<char*>(const_cast<void*>(data)) + offset * bytes;
}

// Calls work(row, lane, exists) for the rows of a grid; all lanes of a block take part.
template <class Work>
FT_DEVICE void for_each_row(ft_i64 rows, const Work& work) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes,
            group = static_cast<int>(threadIdx.x) / kLanes;
  for (ft_i64 start = static_cast<ft_i64>(blockIdx.x) * kGroups; start < rows;
       start += static_cast<ft_i64>(gridDim.x) * kGroups) {
    const ft_i64 row = start + group;
    work(row, lane, row < rows);
  }
}

#if FT_NORM == FT_NORM_NONE
FT_DEVICE void norm_heads(const void* in, ft_i64 stride, int head_stride, int heads, void* out,
                          const void*, float, ft_i64 tokens) {
#else
FT_DEVICE void norm_heads(const void* in, ft_i64 stride, int head_stride, int heads, void* out,
                          const void* weight, float eps, ft_i64 tokens) {
#endif
  for_each_row(tokens * heads, [&](ft_i64 row, int lane, bool exists) {
    Stored<FT_TYPE_ACT> stored = {};
    if (exists)
      stored = load_row<FT_TYPE_ACT>(
          row_address(in, row / heads * stride + row % heads * head_stride, FT_BYTES_ACT), lane);
    Numbers x = numbers_of(stored);
#if FT_NORM != FT_NORM_NONE
    const float squares = ft_wave_sum<kLanes>(sum_of_squares(x));
    norm_row(x, load_row<FT_TYPE_WEIGHT>(static_cast<const char*>(weight), lane), squares, eps);
#endif
    if (exists) store_row(row_address(out, row * kD, 4), lane, stored_of<ft_fp32>(x));
  });
}

#if FT_ROPE == FT_ROPE_NONE
#define ROPE_PARAMETER
#define ROPE_PASSED
#else
#define ROPE_PARAMETER const Rope &rope,
#define ROPE_PASSED ROPE_VALUE,
#endif

// `out` in the type of q and k, `rotated` in fp32; either may be nullptr.
FT_DEVICE void rotate_heads(const void* in, int heads, ROPE_PARAMETER void* out, ft_i64 out_stride,
                            void* rotated, ft_i64 tokens) {
  for_each_row(tokens * heads, [&](ft_i64 row, int lane, bool exists) {
    if (!exists) return;
    Numbers x = numbers_of(load_row<ft_fp32>(row_address(in, row * kD, 4), lane));
#if FT_ROPE != FT_ROPE_NONE
    const ft_i64 token = row / heads;
    const auto rows = rows_of(rope, token);
    rotate_row(x, rope, rows, lane, early_angles(rope, columns_of(rope, lane), rows));
#endif
    if (out != nullptr)
      store_row(row_address(out, row / heads * out_stride + row % heads * kD, FT_BYTES_ACT), lane,
                stored_of<FT_TYPE_ACT>(x));
    if (rotated != nullptr)
      store_row(row_address(rotated, row * kD, 4), lane, stored_of<ft_fp32>(x));
  });
}

}  // namespace

#if FT_HQ > 0
FT_KERNEL(FT_BLOCK_SIZE)
void norm_q(Q_ARGUMENTS Q_WEIGHT void* q_normed, ft_i64 tokens EPS) {
  norm_heads(FT_Q_NAME, FT_Q_STRIDE_NAME, kQStride, FT_HQ, q_normed, Q_NORM, tokens);
}

FT_KERNEL(FT_BLOCK_SIZE)
void rotate_q(void* q_normed, ROPE_ARGUMENTS Q_OUT ft_i64 tokens) {
  rotate_heads(q_normed, FT_HQ, ROPE_PASSED q_out, q_out_row_stride, nullptr, tokens);
}
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void norm_k(const void* k, ft_i64 k_row_stride, K_WEIGHT void* k_normed, ft_i64 tokens EPS) {
  norm_heads(k, k_row_stride, kD, FT_HK, k_normed, K_NORM, tokens);
}

#if FT_HAS_K_ROTATED
#define K_ROTATED void *k_rotated,
#else
#define K_ROTATED
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void rotate_k(void* k_normed, ROPE_ARGUMENTS K_OUT K_ROTATED ft_i64 tokens) {
#if !FT_HAS_K_ROTATED
  void* const k_rotated = nullptr;
#endif
#if !FT_HAS_K_OUT
  void* const k_out = nullptr;
  const ft_i64 k_out_row_stride = 0;
#endif
  rotate_heads(k_normed, FT_HK, ROPE_PASSED k_out, k_out_row_stride, k_rotated, tokens);
}

#if FT_HAS_V_OUT
FT_KERNEL(FT_BLOCK_SIZE)
void copy_v(V_ARGUMENTS void* v_out, ft_i64 v_out_row_stride, ft_i64 tokens) {
  for_each_row(tokens * FT_HV, [&](ft_i64 row, int lane, bool exists) {
    if (!exists) return;
    const ft_i64 token = row / FT_HV, head = row % FT_HV;
    store_row(row_address(v_out, token * v_out_row_stride + head * kD, FT_BYTES_ACT), lane,
              load_row<FT_TYPE_ACT>(row_address(v, token * v_row_stride + head * kD, FT_BYTES_ACT),
                                    lane));
  });
}
#endif

#if FT_CACHE != FT_CACHE_NONE
#if FT_QUANT == FT_QUANT_PER_PAGE
namespace {

struct Work {
  Cache cache;
  const void *k, *v;
  ft_i64 v_stride;
};

template <bool IS_V>
FT_DEVICE Numbers page_row(const Work& work, ft_i64 token, int head, bool exists, int lane, int&) {
  Numbers x = {};
  if (!exists) return x;
  if constexpr (IS_V) {
    return numbers_of(load_row<FT_TYPE_ACT>(
        row_address(work.v, token * work.v_stride + head * kD, FT_BYTES_ACT), lane));
  } else {
    x = numbers_of(load_row<ft_fp32>(row_address(work.k, (token * FT_HK + head) * kD, 4), lane));
    round_source(x);
    return x;
  }
}

template <bool IS_V>
FT_DEVICE void store_outputs(const Work&, ft_i64, int, int, int) {}

}  // namespace

#define PAGE_OUT int
#include "pages.h"

FT_KERNEL(FT_BLOCK_SIZE)
void write_pages(void* k_rotated, V_ARGUMENTS SLOTS CACHES SCALES COUNTS) {
  Work work = {};
  SET_CACHES(work.cache);
  SET_SCALES(work.cache);
  work.cache.slots = SLOTS_NAME;
  work.cache.num_blocks = num_blocks;
  work.k = k_rotated;
  work.v = v;
  work.v_stride = v_row_stride;
  const int head = static_cast<int>(blockIdx.y);
  if (head < FT_HK) {
    write_runs<false, FT_HK>(work, tokens, head);
  } else {
    write_runs<true, FT_HV>(work, tokens, head - FT_HK);
  }
}
#else
FT_KERNEL(FT_BLOCK_SIZE)
void write_cache(void* k_rotated, V_ARGUMENTS SLOTS TENSOR_SCALES CACHES SCALES COUNTS) {
  Cache cache = {};
  SET_CACHES(cache);
  SET_SCALES(cache);
  cache.slots = SLOTS_NAME;
  cache.num_blocks = num_blocks;
  constexpr int kHeads = FT_HK + FT_HV;
  for_each_row(tokens * kHeads, [&](ft_i64 row, int lane, bool exists) {
    // A copy: compilers choose between its members, of k and of v, by address otherwise, and it
    // would have to lie in memory.
    const Cache to = cache;
    const ft_i64 token = row / kHeads;
    const int head = static_cast<int>(row % kHeads);
    const ft_i64 slot = exists ? slot_of(to, token) : -1;
    if (head < FT_HK) {
      Numbers x = {};
      if (exists)
        x = numbers_of(
            load_row<ft_fp32>(row_address(k_rotated, (token * FT_HK + head) * kD, 4), lane));
      write_to_cache<false, FT_HK>(to, slot, head, lane, stored_of<FT_TYPE_ACT>(x), x,
                                   load_tensor_scale(to, false));
    } else {
      Stored<FT_TYPE_ACT> in = {};
      if (exists)
        in = load_row<FT_TYPE_ACT>(
            row_address(v, token * v_row_stride + (head - FT_HK) * kD, FT_BYTES_ACT), lane);
      write_to_cache<true, FT_HV>(to, slot, head - FT_HK, lane, in, numbers_of(in),
                                  load_tensor_scale(to, true));
    }
  });
}
#endif
#endif
