// The baseline: q in one launch, k in another. One item of a head per thread at a time, with its
// angles read again.
#include "ft.h"
#include "heads.h"

namespace {

FT_DEVICE const char* source(const Heads& heads, ft_i64 token, int head) {
  return heads.in + (token * heads.in_stride + head * heads.in_head_stride) * FT_BYTES_ACT;
}
FT_DEVICE char* target(const Heads& heads, ft_i64 token, int head) {
  return heads.out + (token * heads.out_stride + head * heads.out_head_stride) * FT_BYTES_ACT;
}

FT_DEVICE void rotate_all(const Rope& rope, const Heads& heads, int count, ft_i64 tokens) {
  const ft_i64 all = tokens * count * kItems;
  for (ft_i64 at = static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x; at < all;
       at += static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE) {
    const int item = static_cast<int>(at % kItems), head = static_cast<int>(at / kItems % count);
    const ft_i64 token = at / kItems / count;
    Item values = load_item(source(heads, token, head), item);
    if (item < kRotated) rotate_item(values, load_angles(rope, token, item));
    store_item(target(heads, token, head), item, values);
  }
}

}  // namespace

#if FT_IN_PLACE == FT_IN_PLACE_OFF
#define HEADS_PARAMETERS const void *in, ft_i64 in_stride, void *out, ft_i64 out_stride
#define HEADS(head_stride)                                                                     \
  {                                                                                            \
    static_cast<const char*>(in), in_stride, head_stride, static_cast<char*>(out), out_stride, \
        FT_HEAD_DIM                                                                            \
  }
#else
#define HEADS_PARAMETERS void *inout, ft_i64 stride
#define HEADS(head_stride)                                                                   \
  {                                                                                          \
    static_cast<const char*>(inout), stride, head_stride, static_cast<char*>(inout), stride, \
        head_stride                                                                          \
  }
#endif

FT_KERNEL(FT_BLOCK_SIZE)
void rope_q(POSITIONS_PARAMETERS, TABLE_PARAMETERS, HEADS_PARAMETERS, ft_i64 tokens) {
  rotate_all(rope_of(POSITIONS, TABLE), HEADS(FT_Q_COLUMNS), FT_Q_HEADS, tokens);
}

FT_KERNEL(FT_BLOCK_SIZE)
void rope_k(POSITIONS_PARAMETERS, TABLE_PARAMETERS, HEADS_PARAMETERS, ft_i64 tokens) {
  rotate_all(rope_of(POSITIONS, TABLE), HEADS(FT_HEAD_DIM), FT_KV_HEADS, tokens);
}
