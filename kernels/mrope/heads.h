// Heads of mrope as chunks of one vector access, and its positions under one name whatever the
// options: shared by its implementations. Everything here is constant per code object; tokens and
// strides are 64 bits wide.
#pragma once
#include "elements.h"
#include "rope_arguments.h"

constexpr int kTail = FT_IN_PLACE == FT_IN_PLACE_ON
                          ? 0
                          : FT_HEAD_DIM - FT_ROTARY_DIM;  // elements that are only copied

typedef ft_rope_layout<FT_PAIRS == FT_PAIRS_NEOX, FT_HALF, kElements> Layout;
typedef ft_pack<FT_TYPE_ACT, kElements> Chunk;
#if FT_PRODUCT_ROUNDING == FT_PRODUCT_ROUNDING_ON
typedef FT_TYPE_TABLE Product;
#else
typedef ft_fp32 Product;
#endif

// A head's items: those that are rotated, then those that are copied.
constexpr int kRotated = Layout::ITEMS;
constexpr int kCopied = (kTail / kElements + 1) / 2;
constexpr int kItems = kRotated + kCopied;

// Where an item's chunks start in the head. The second of a copied item may lie behind the head:
// then there is none.
FT_DEVICE int low_of(int item) {
  return item < kRotated ? Layout::low(item) : FT_ROTARY_DIM + (item - kRotated) * kElements;
}
FT_DEVICE int high_of(int item) {
  return item < kRotated ? Layout::high(item)
                         : FT_ROTARY_DIM + (item - kRotated + kCopied) * kElements;
}
FT_DEVICE bool has_high(int item) {
  return kTail / kElements % 2 == 0 || item < kRotated || high_of(item) < FT_HEAD_DIM;
}

// Heads of q or k: `row_stride` and `head_stride` in elements.
struct Heads {
  const char* in;
  ft_i64 in_stride;
  int in_head_stride;
  char* out;
  ft_i64 out_stride;
  int out_head_stride;
};

FT_DEVICE const char* source(const Heads& heads, ft_i64 token, int head) {
  return heads.in + (token * heads.in_stride + head * heads.in_head_stride) * FT_BYTES_ACT;
}
FT_DEVICE char* target(const Heads& heads, ft_i64 token, int head) {
  return heads.out + (token * heads.out_stride + head * heads.out_head_stride) * FT_BYTES_ACT;
}

struct Item {
  Chunk low, high;
};

FT_DEVICE Item load_item(const char* head, int item) {
  Item loaded;
  loaded.low = ft_load_pack<FT_TYPE_ACT, kElements>(head + low_of(item) * FT_BYTES_ACT);
  if (has_high(item))
    loaded.high = ft_load_pack<FT_TYPE_ACT, kElements>(head + high_of(item) * FT_BYTES_ACT);
  return loaded;
}

FT_DEVICE void store_item(char* head, int item, const Item& values) {
  ft_store_pack<FT_TYPE_ACT, kElements>(head + low_of(item) * FT_BYTES_ACT, values.low);
  if (has_high(item))
    ft_store_pack<FT_TYPE_ACT, kElements>(head + high_of(item) * FT_BYTES_ACT, values.high);
}

FT_DEVICE void rotate_item(Item& item, const ft_angles<kElements>& angles) {
  float low[kElements], high[kElements];
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    low[i] = ft_get(item.low, i);
    high[i] = ft_get(item.high, i);
  }
  ft_rotate_item<Layout, Product, kElements>(low, high, angles);
  item.low = ft_pack_of<FT_TYPE_ACT>(low);
  item.high = ft_pack_of<FT_TYPE_ACT>(high);
}

#if FT_HAS_POSITIONS_THW
#define POSITIONS_PARAMETERS const void *positions, ft_i64 axis_stride
#define POSITIONS positions, axis_stride
#else
#define POSITIONS_PARAMETERS const void* positions
#define POSITIONS positions, 0
#endif

FT_DEVICE ft_angles<kElements> load_angles(const Rope& rope, ft_i64 token, int item) {
  return ft_load_item_angles<Layout, Axes, kElements, FT_TABLE_ALIGN>(rope.table,
                                                                      rows_of(rope, token), item);
}
