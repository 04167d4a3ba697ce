// Values in a cache that has the elements `d` of kX slots side by side. Where tokens that follow
// each other have the slots of such a group, their values are gathered and stored by 16 bytes, an
// access for each d; all other tokens' values are stored element by element. Comes after a type
// Work with tensors `t` and a `cache`.
#pragma once

namespace {

// Whether the tokens from `first` on have the slots from `slot` on, a whole group. No group lies in
// two pages.
FT_DEVICE bool fill_group(const Cache& cache, ft_i64 first, ft_i64 slot, ft_i64 tokens) {
  if (first < 0 || first + kX > tokens) return false;
  bool whole = true;
  FT_UNROLL
  for (int i = 0; i < kX; ++i) whole = whole && slot_of(cache, first + i) == slot + i;
  return whole;
}

// `rows`: the elements from a `d` on of each slot; `at`: where that d of the first slot lies.
FT_DEVICE void store_group(char* at, const ft_pack<Element, kElements> (&rows)[kX]) {
  FT_UNROLL
  for (int i = 0; i < kElements; ++i) {
    ft_vec<16> group = ft_zero<16>();
    FT_UNROLL
    for (int r = 0; r < kX; ++r) ft_set16(group, r, ft_get16(rows[r].part[0], i));
    ft_store<16>(at + i * kVStep * kSize, group);
  }
}

// One head of the kX tokens from `token` on, whose slots are the group from `slot` on.
FT_DEVICE void write_group(const Work& work, ft_i64 token, ft_i64 slot, int head, int lane) {
  for (int chunk = 0; chunk < 2 * kPerLane; ++chunk) {
    const int item = lane + chunk / 2 * kLanes;
    const int d = chunk % 2 == 0 ? HeadLayout::low(item) : HeadLayout::high(item);
    const char* from = head_address(work.t.v, token, head, kD) + d * kSize;
    ft_pack<Element, kElements> rows[kX];
    FT_UNROLL
    for (int r = 0; r < kX; ++r, from += work.t.v.row_stride * kSize)
      rows[r] = ft_load_pack<Element, kElements>(from);
#if FT_HAS_V_OUT
    char* to = head_address(work.t.v_out, token, head, kD) + d * kSize;
    FT_UNROLL
    for (int r = 0; r < kX; ++r, to += work.t.v_out.row_stride * kSize)
      ft_store_pack<Element, kElements>(to, rows[r]);
#endif
    store_group(element_address<true, FT_HV>(work.cache, slot, head, d), rows);
  }
}

FT_DEVICE void write_value(const Work& work, ft_i64 token, ft_i64 slot, int head, int lane) {
  const Stored<Element> in = load_row<Element>(head_address(work.t.v, token, head, kD), lane);
#if FT_HAS_V_OUT
  store_row(head_address(work.t.v_out, token, head, kD), lane, in);
#endif
  if (slot >= 0) store_in_slot<true, FT_HV>(work.cache, slot, head, lane, in);
}

// The lanes of a row take one head of kX tokens that follow each other. Blocks are counted from the
// last one on, since the first ones have rows of q and k to do.
FT_DEVICE void write_values(const Work& work, ft_i64 tokens, int lane, int group) {
  const ft_i64 items = (tokens + kX - 1) / kX * FT_HV;
  for (ft_i64 item = static_cast<ft_i64>(gridDim.x - 1 - blockIdx.x) * kGroups + group;
       item < items; item += static_cast<ft_i64>(gridDim.x) * kGroups) {
    const ft_i64 first = item / FT_HV * kX;
    const int head = static_cast<int>(item % FT_HV);
    for (ft_i64 token = first; token < first + kX && token < tokens; ++token) {
      const ft_i64 slot = slot_of(work.cache, token);
      const ft_i64 within = slot % kX;
      if (slot < 0 || !fill_group(work.cache, token - within, slot - within, tokens)) {
        write_value(work, token, slot, head, lane);
      } else if (within == 0) {
        write_group(work, token, slot, head, lane);
      }
    }
  }
}

}  // namespace
