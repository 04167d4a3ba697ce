// Heads of mrope as chunks of one vector access, and its positions under one name whatever the
// options: shared by its implementations. Everything here is constant per code object but tokens
// and strides; offsets have 64 bits.
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

// A head's items: those that are rotated, then those that are copied. The second chunk of the last
// copied one may lie behind the head: then there is none.
typedef ft_head_layout<Layout, FT_HALF, kTail, kElements> HeadLayout;
constexpr int kRotated = Layout::ITEMS;
constexpr int kItems = HeadLayout::ITEMS;

FT_DEVICE bool has_high(int item) {
  return kTail / kElements % 2 == 0 || item < kRotated || HeadLayout::high(item) < FT_HEAD_DIM;
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

struct Item {
  Chunk low, high;
};

FT_DEVICE Item load_item(const char* head, int item) {
  const char* const low = head + HeadLayout::low(item) * FT_BYTES_ACT;
  Item loaded;
  loaded.low = ft_load_pack<FT_TYPE_ACT, kElements>(low);
  if (has_high(item))
    loaded.high =
        ft_load_pack<FT_TYPE_ACT, kElements>(low + HeadLayout::apart(item) * FT_BYTES_ACT);
  return loaded;
}

FT_DEVICE void store_item(char* head, int item, const Item& values) {
  char* const low = head + HeadLayout::low(item) * FT_BYTES_ACT;
  ft_store_pack<FT_TYPE_ACT, kElements>(low, values.low);
  if (has_high(item))
    ft_store_pack<FT_TYPE_ACT, kElements>(low + HeadLayout::apart(item) * FT_BYTES_ACT,
                                          values.high);
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

FT_DEVICE ft_angles<kElements> angles_of_rows(const Rope& rope,
                                              const ft_rope_rows<Axes::COUNT>& rows, int item) {
  return ft_load_item_angles<Layout, Axes, kElements, FT_TABLE_ALIGN>(rope.table, rows, item);
}
FT_DEVICE ft_angles<kElements> load_angles(const Rope& rope, ft_i64 token, int item) {
  return angles_of_rows(rope, rows_of(rope, token), item);
}
