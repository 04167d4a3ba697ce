// Codes with a scale per page and head. The tokens of a page follow each other, and their slots do:
// a block takes such a run and a head of k or v. It writes the run's codes; where the run needs a
// larger scale than the slots of the page before it, their codes are scaled down. Comes after a
// type Work with a `cache` and two templates over IS_V: page_row(work, token, head, exists, lane,
// out), a row as it is quantised and as it is stored elsewhere, and store_outputs(work, token,
// head, lane, out).
#pragma once

namespace {

// The codes of the slots before `slot` in its page, for another scale.
template <bool IS_V, int HEADS>
FT_DEVICE void rescale_codes(const Cache& cache, ft_i64 slot, int head, float before, float after) {
  const int count = static_cast<int>(slot % kPage) * kD;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += FT_BLOCK_SIZE) {
    char* const at =
        element_address<IS_V, HEADS>(cache, slot / kPage * kPage + i / kD, head, i % kD);
    const Element code = *reinterpret_cast<Element*>(at);
    *reinterpret_cast<Element*>(at) = ft_from_f32<Element>(ft_to_f32(code) * before / after);
  }
}

// Whether a token begins a run; one without a slot is a run of its own.
FT_DEVICE bool begins_run(const Cache& cache, ft_i64 token) {
  const ft_i64 slot = slot_of(cache, token);
  return slot < 0 || slot % kPage == 0 || token == 0 || slot_of(cache, token - 1) != slot - 1;
}
FT_DEVICE int run_length(const Cache& cache, ft_i64 token, ft_i64 tokens) {
  const ft_i64 slot = slot_of(cache, token);
  int length = 1;
  while (slot >= 0 && token + length < tokens && (slot + length) % kPage != 0 &&
         slot_of(cache, token + length) == slot + length)
    ++length;
  return length;
}

template <bool IS_V, int HEADS>
FT_DEVICE void write_run(const Work& work, ft_i64 first, int length, int head, int turn) {
  const Cache& cache = work.cache;
  const ft_i64 slot = slot_of(cache, first);
  const int lane = static_cast<int>(threadIdx.x) % kLanes,
            group = static_cast<int>(threadIdx.x) / kLanes;
  PAGE_OUT out = {};
  float largest = 0.0f;
  for (int start = 0; start < length; start += kGroups) {
    const int row = start + group;
    const float here =
        largest_magnitude(page_row<IS_V>(work, first + row, head, row < length, lane, out));
    largest = row < length && here > largest ? here : largest;
  }
  float scale = scale_of(ft_group_max<FT_BLOCK_SIZE, FT_BLOCK_SIZE>(largest, turn));
  char* const stored_at = scale_address<IS_V, HEADS>(cache, slot < 0 ? 0 : slot, head);
  const bool appends = slot >= 0 && slot % kPage > 0;
  const float stored = appends ? load_float(stored_at) : 0.0f;
  ft_block_sync();  // the scale is read
  if (appends && stored >= scale) {
    scale = stored;
  } else if (slot >= 0) {
    if (appends) rescale_codes<IS_V, HEADS>(cache, slot, head, stored, scale);
    if (threadIdx.x == 0) store_float(stored_at, scale);
  }
  for (int start = 0; start < length; start += kGroups) {
    const int row = start + group;
    const Numbers x = page_row<IS_V>(work, first + row, head, row < length, lane, out);
    if (row >= length) continue;
    store_outputs<IS_V>(work, first + row, head, lane, out);
    if (slot >= 0) store_in_slot<IS_V, HEADS>(cache, slot + row, head, lane, codes_of(x, scale));
  }
}

// A block takes the tokens that begin runs, one after the other, for one head.
template <bool IS_V, int HEADS>
FT_DEVICE void write_runs(const Work& work, ft_i64 tokens, int head) {
  int turn = 0;
  for (ft_i64 token = blockIdx.x; token < tokens; token += gridDim.x) {
    if (!begins_run(work.cache, token)) continue;
    write_run<IS_V, HEADS>(work, token, run_length(work.cache, token, tokens), head, turn);
    turn ^= 1;
  }
}

}  // namespace
