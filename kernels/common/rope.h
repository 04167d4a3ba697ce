// Rotary position embedding, for every family that rotates heads: which positions a frequency
// takes, cosines and sines of a token, the rotation. A head's first 2 * HALF elements are rotated,
// by HALF frequencies. A thread works on items: a chunk of V elements of the lower half and the
// chunk HALF elements behind it, which hold V whole pairs in both pair styles, so that no lane
// needs a partner.
#pragma once
#include "ft.h"

// ---- Positions ------------------------------------------------------------------------------

#define FT_ROPE_TEXT 0  // one position per token
#define FT_ROPE_INTERLEAVED \
  1  // time, height, width in turn, as long as their sections last; then time (Qwen3-VL, Qwen3.5)
#define FT_ROPE_SECTIONED 2  // time, then height, then width (Qwen2-VL)

/// Which of a token's positions a frequency takes: 0 time, 1 height, 2 width. TIME, HEIGHT and
/// WIDTH are the frequencies of each.
template <int RULE, int TIME, int HEIGHT, int WIDTH>
struct ft_rope_axes {
  static constexpr int COUNT = RULE == FT_ROPE_TEXT ? 1 : 3;
  FT_DEVICE int of(int frequency) {
    if constexpr (RULE == FT_ROPE_INTERLEAVED) {
      const int axis = static_cast<int>(static_cast<ft_u32>(frequency) % 3);
      return frequency < 3 * (axis == 1 ? HEIGHT : WIDTH) ? axis : 0;
    } else if constexpr (RULE == FT_ROPE_SECTIONED) {
      return frequency < TIME ? 0 : frequency < TIME + HEIGHT ? 1 : 2;
    } else {
      return 0;
    }
  }
};

/// A token's rows of the table, one per axis.
template <int AXES>
struct ft_rope_rows {
  ft_i64 axis[AXES];
};

/// Element `index` of positions, of BYTES each. Read in words of 4 bytes: an axis begins where the
/// one before it ends, so whether more is aligned would depend on the number of tokens.
template <int BYTES>
FT_DEVICE ft_i64 ft_load_position(const void* positions, ft_i64 index) {
  const char* address = static_cast<const char*>(positions) + index * BYTES;
  const ft_u32 low = ft_get32(ft_load<4>(address), 0);
  if constexpr (BYTES == 8) {
    const ft_u64 high = ft_get32(ft_load<4>(address + 4), 0);
    return static_cast<ft_i64>(high << 32 | low);
  }
  return static_cast<ft_i32>(low);
}

/// Of positions [AXES, tokens] whose axes are `axis_stride` elements of BYTES apart. Positions lie
/// within the table: that is the caller's to see to.
template <int AXES, int BYTES>
FT_DEVICE ft_rope_rows<AXES> ft_load_positions(const void* positions, ft_i64 axis_stride,
                                               ft_i64 token) {
  ft_rope_rows<AXES> rows;
  FT_UNROLL
  for (int axis = 0; axis < AXES; ++axis) {
    rows.axis[axis] = ft_load_position<BYTES>(positions, axis * axis_stride + token);
  }
  return rows;
}

// ---- Cosines and sines ----------------------------------------------------------------------

/// Rows of elements T, the first frequency of a row at `cos` and `sin`; `row_stride` in elements.
template <class T>
struct ft_rope_table {
  const char* cos;
  const char* sin;
  ft_i64 row_stride;
};

template <int COUNT>
struct ft_angles {
  float cos[COUNT];
  float sin[COUNT];
};

/// COUNT frequencies as they lie in a table of T, of the rows of all axes; read by WIDTH of them.
template <class T, int AXES, int COUNT, int WIDTH>
struct ft_table_angles {
  ft_pack<T, WIDTH> cos[AXES][COUNT / WIDTH], sin[AXES][COUNT / WIDTH];
};

/// Those of an axis: the first of them lies at `cos` and `sin`.
template <class T, int AXES, int COUNT, int WIDTH>
FT_DEVICE void ft_load_axis(ft_table_angles<T, AXES, COUNT, WIDTH>& angles, int axis,
                            const char* cos, const char* sin) {
  FT_UNROLL
  for (int part = 0; part < COUNT / WIDTH; ++part) {
    const int at = part * WIDTH * static_cast<int>(sizeof(T));
    angles.cos[axis][part] = ft_load_pack<T, WIDTH>(cos + at);
    angles.sin[axis][part] = ft_load_pack<T, WIDTH>(sin + at);
  }
}

/// Of the axis that each frequency takes; the first of them is `frequency`.
template <class Axes, class T, int COUNT, int WIDTH>
FT_DEVICE void ft_choose_angles(const ft_table_angles<T, Axes::COUNT, COUNT, WIDTH>& angles,
                                int frequency, float* cos, float* sin) {
  const auto &c = angles.cos, &s = angles.sin;
  FT_UNROLL
  for (int i = 0; i < COUNT; ++i) {
    cos[i] = ft_get(c[0][i / WIDTH], i % WIDTH);
    sin[i] = ft_get(s[0][i / WIDTH], i % WIDTH);
    if constexpr (Axes::COUNT == 3) {
      const int axis = Axes::of(frequency + i);
      const float c1 = ft_get(c[1][i / WIDTH], i % WIDTH), c2 = ft_get(c[2][i / WIDTH], i % WIDTH);
      const float s1 = ft_get(s[1][i / WIDTH], i % WIDTH), s2 = ft_get(s[2][i / WIDTH], i % WIDTH);
      cos[i] = axis == 0 ? cos[i] : axis == 1 ? c1 : c2;
      sin[i] = axis == 0 ? sin[i] : axis == 1 ? s1 : s2;
    }
  }
}

/// COUNT frequencies from `frequency` on, by accesses of at most ALIGN bytes: rows and halves of
/// rows are aligned to it.
template <class Axes, int COUNT, int ALIGN, class T>
FT_DEVICE void ft_load_angles(const ft_rope_table<T>& table, const ft_rope_rows<Axes::COUNT>& rows,
                              int frequency, float* cos, float* sin) {
  constexpr int SIZE = static_cast<int>(sizeof(T));
  constexpr int WIDTH = COUNT * SIZE < ALIGN ? COUNT : ALIGN / SIZE;
  ft_table_angles<T, Axes::COUNT, COUNT, WIDTH> angles;
  FT_UNROLL
  for (int axis = 0; axis < Axes::COUNT; ++axis) {
    const ft_i64 at = (rows.axis[axis] * table.row_stride + frequency) * SIZE;
    ft_load_axis(angles, axis, table.cos + at, table.sin + at);
  }
  ft_choose_angles<Axes>(angles, frequency, cos, sin);
}

// ---- Items ----------------------------------------------------------------------------------

/// How items of V elements lie in a head. NEOX pairs element i with i + HALF, gptj (not NEOX) 2i
/// with 2i + 1. V divides HALF.
template <bool NEOX, int HALF, int V>
struct ft_rope_layout {
  static_assert(HALF % V == 0, "a half is whole chunks");
  static constexpr int ITEMS = HALF / V;          // of one head
  static constexpr bool SPLIT = !NEOX && V == 1;  // the elements of a pair are an item's two chunks
  /// Whether the pairs lie across both chunks, or each within one.
  static constexpr bool ACROSS = NEOX || SPLIT;
  /// Where an item's two chunks start, in elements of the head.
  FT_DEVICE int low(int item) { return SPLIT ? 2 * item : item * V; }
  FT_DEVICE int high(int item) { return SPLIT ? 2 * item + 1 : HALF + item * V; }
  /// The frequency of an item's pair `i`, of V.
  FT_DEVICE int frequency(int item, int i) {
    if constexpr (ACROSS) return item * V + i;
    return (i < V / 2 ? low(item) : high(item) - V) / 2 + i;
  }
};

/// How items lie in a head whose rotated part, of 2 * HALF elements, is followed by TAIL others:
/// first the rotated items, then as many as the rest takes, whose last may have one chunk alone.
template <class Layout, int HALF, int TAIL, int V>
struct ft_head_layout {
  static constexpr int BEHIND = (TAIL / V + 1) / 2;
  static constexpr int ITEMS = Layout::ITEMS + BEHIND;
  // Where the rest is as long as some rotated parts, it is cut as they are: then an item's chunks
  // are HALF elements apart all over the head, and have one address.
  static constexpr bool EVEN =
      HALF > 0 && !Layout::SPLIT && TAIL % (2 * HALF > 0 ? 2 * HALF : 1) == 0;
  FT_DEVICE int low(int item) {
    if constexpr (EVEN) {
      const ft_u32 part = static_cast<ft_u32>(item) / Layout::ITEMS;
      return item * V + static_cast<int>(part) * HALF;
    }
    return item < Layout::ITEMS ? Layout::low(item) : 2 * HALF + (item - Layout::ITEMS) * V;
  }
  FT_DEVICE int high(int item) {
    if constexpr (EVEN) return low(item) + HALF;
    return item < Layout::ITEMS ? Layout::high(item)
                                : 2 * HALF + (item - Layout::ITEMS + BEHIND) * V;
  }
  // From low to high.
  FT_DEVICE int apart(int item) {
    if constexpr (EVEN) return HALF;
    return high(item) - low(item);
  }
};

/// The angles of an item: of its V pairs in order.
template <class Layout, class Axes, int V, int ALIGN, class T>
FT_DEVICE ft_angles<V> ft_load_item_angles(const ft_rope_table<T>& table,
                                           const ft_rope_rows<Axes::COUNT>& rows, int item) {
  ft_angles<V> angles;
  if constexpr (Layout::ACROSS) {
    ft_load_angles<Axes, V, ALIGN>(table, rows, item * V, angles.cos, angles.sin);
  } else {
    constexpr int EACH = V / 2;
    ft_load_angles<Axes, EACH, ALIGN>(table, rows, Layout::low(item) / 2, angles.cos, angles.sin);
    ft_load_angles<Axes, EACH, ALIGN>(table, rows, Layout::high(item) / 2, angles.cos + EACH,
                                      angles.sin + EACH);
  }
  return angles;
}

/// Rotates one pair. Products are rounded to Product first; ft_fp32 leaves them as they are.
template <class Product>
FT_DEVICE void ft_rotate(float& first, float& second, float cos, float sin) {
  const float x1 = first, x2 = second;
  first = ft_round_to<Product>(x1 * cos) - ft_round_to<Product>(x2 * sin);
  second = ft_round_to<Product>(x2 * cos) + ft_round_to<Product>(x1 * sin);
}

/// Rotates the V pairs of an item.
template <class Layout, class Product, int V>
FT_DEVICE void ft_rotate_item(float* low, float* high, const ft_angles<V>& angles) {
  if constexpr (Layout::ACROSS) {
    FT_UNROLL
    for (int i = 0; i < V; ++i) ft_rotate<Product>(low[i], high[i], angles.cos[i], angles.sin[i]);
  } else {
    FT_UNROLL
    for (int i = 0; i < V / 2; ++i) {
      ft_rotate<Product>(low[2 * i], low[2 * i + 1], angles.cos[i], angles.sin[i]);
      ft_rotate<Product>(high[2 * i], high[2 * i + 1], angles.cos[V / 2 + i],
                         angles.sin[V / 2 + i]);
    }
  }
}
