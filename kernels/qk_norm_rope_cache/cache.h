// The paged cache: where an element lies, and rows of numbers as elements or as codes with scales.
// Comes after heads.h.
#pragma once
#include "codes.h"

#if FT_CACHE != FT_CACHE_NONE

#if FT_QUANT == FT_QUANT_NONE
typedef FT_TYPE_ACT Element;
#else
typedef FT_TYPE_CODE Element;
#endif

constexpr int kX = 16 / static_cast<int>(sizeof(Element));
constexpr int kPage = FT_PAGE_SIZE;
constexpr int kSize = static_cast<int>(sizeof(Element));

struct Cache {
  char *k, *v;
  ft_i64 k_stride, v_stride;  // of a block, in elements; of a slot where there are no blocks
  char *k_scale, *v_scale;
  ft_i64 k_scale_stride, v_scale_stride;
  const void* slots;
  ft_i64 num_blocks;
};

FT_DEVICE ft_i64 slot_of(const Cache& cache, ft_i64 token) {
  return ft_load_positions<1, FT_BYTES_INDEX>(cache.slots, 0, token).axis[0];
}

// The element `d` of a head of HEADS in a slot: offset within its block, in elements.
template <bool IS_V, int HEADS>
FT_DEVICE int offset_in_block(int offset, int head, int d) {
#if FT_CACHE == FT_CACHE_FLAT
  (void)offset;
  return head * kD + d;
#elif FT_CACHE == FT_CACHE_NHD || FT_CACHE == FT_CACHE_KV_PAIR
  return (offset * HEADS + head) * kD + d;
#elif FT_CACHE == FT_CACHE_HND
  return (head * kPage + offset) * kD + d;
#elif FT_CACHE == FT_CACHE_BLOCKS_PAIR
  return (IS_V ? kPage * HEADS * kD : 0) + (offset * HEADS + head) * kD + d;
#elif FT_CACHE == FT_CACHE_PACKED
  return (head * kPage + offset) * (2 * kD) + (IS_V ? kD : 0) + d;
#else
  if (!IS_V) return head * kD * kPage + d / kX * (kPage * kX) + offset * kX + d % kX;
#if FT_CACHE == FT_CACHE_PAGED
  return head * kD * kPage + d * kPage + offset;
#else
  return head * kD * kPage + offset / kX * (kD * kX) + d * kX + offset % kX;
#endif
#endif
}

// Elements from one `d` of a value to the next.
#if FT_CACHE == FT_CACHE_PAGED
constexpr int kVStep = kPage;
#elif FT_CACHE == FT_CACHE_SHUFFLE
constexpr int kVStep = kX;
#else
constexpr int kVStep = 1;
#endif

// Of a slot that is not below 0.
template <bool IS_V>
FT_DEVICE char* block_address(const Cache& cache, ft_u64 slot) {
#if FT_CACHE == FT_CACHE_FLAT
  const ft_i64 row = static_cast<ft_i64>(slot);
#elif FT_CACHE == FT_CACHE_KV_PAIR
  const ft_i64 row = static_cast<ft_i64>(slot / kPage) + (IS_V ? cache.num_blocks : 0);
#else
  const ft_i64 row = static_cast<ft_i64>(slot / kPage);
#endif
  return IS_V ? cache.v + row * cache.v_stride * kSize : cache.k + row * cache.k_stride * kSize;
}

template <bool IS_V, int HEADS>
FT_DEVICE char* element_address(const Cache& cache, ft_u64 slot, int head, int d) {
  return block_address<IS_V>(cache, slot) +
         offset_in_block<IS_V, HEADS>(static_cast<int>(slot % kPage), head, d) * kSize;
}

template <int STEP>
FT_DEVICE void store_elements(char* at, const ft_pack<Element, kElements>& elements) {
  if constexpr (STEP == 1) {
    ft_store_pack<Element, kElements>(at, elements);
  } else {
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      constexpr int PER_PART = ft_pack<Element, kElements>::ACCESS / kSize;
      const auto& part = elements.part[i / PER_PART];
      if constexpr (kSize == 1) {
        *reinterpret_cast<ft_u8*>(at + i * STEP) = ft_get8(part, i % PER_PART);
      } else {
        ft_store<2>(at + i * STEP * 2, ft_vec<2>{ft_get16(part, i % PER_PART)});
      }
    }
  }
}

// Whether the elements of a head follow each other.
constexpr bool kDense = !(FT_CACHE == FT_CACHE_PAGED || FT_CACHE == FT_CACHE_SHUFFLE);

// Where a lane's items of one head begin.
struct CachePlaces {
  char *low[kPerLane], *high[kPerLane];
};
template <bool IS_V, int HEADS>
FT_DEVICE CachePlaces places_in_slot(const Cache& cache, ft_u64 slot, int head, int lane) {
  CachePlaces places;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    const int item = lane + k * kLanes;
    char* const low = element_address<IS_V, HEADS>(cache, slot, head, HeadLayout::low(item));
    // Values wait for nothing that their addresses could be ahead of.
    places.low[k] = kApart && !IS_V ? ft_computed<kElements * kSize>(low) : low;
    char* const high =
        kDense ? places.low[k] + HeadLayout::apart(item) * kSize
               : element_address<IS_V, HEADS>(cache, slot, head, HeadLayout::high(item));
    places.high[k] = kApart && !IS_V && !kDense ? ft_computed<kElements * kSize>(high) : high;
  }
  return places;
}

// A lane's elements of one head.
template <bool IS_V>
FT_DEVICE void store_in_places(const CachePlaces& places, const Stored<Element>& row) {
  constexpr int STEP = IS_V ? kVStep : 1;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    store_elements<STEP>(places.low[k], row.low[k]);
    store_elements<STEP>(places.high[k], row.high[k]);
  }
}
template <bool IS_V, int HEADS>
FT_DEVICE void store_in_slot(const Cache& cache, ft_i64 slot, int head, int lane,
                             const Stored<Element>& row) {
  store_in_places<IS_V>(places_in_slot<IS_V, HEADS>(cache, slot, head, lane), row);
}

#if FT_QUANT != FT_QUANT_NONE

// What is quantised of a row.
FT_DEVICE void round_source(Numbers& x) {
#if FT_QUANT_SOURCE == FT_QUANT_SOURCE_ROUNDED
  x = numbers_of(stored_of<FT_TYPE_ACT>(x));
#else
  (void)x;
#endif
}

// Of a lane's elements.
FT_DEVICE float largest_magnitude(const Numbers& x) {
  float largest = 0.0f;
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    FT_UNROLL
    for (int i = 0; i < kElements; ++i) {
      largest = larger_magnitude(largest, x.low[k][i]);
      largest = larger_magnitude(largest, x.high[k][i]);
    }
  }
  return largest;
}

// The scale of a row or page, from its largest magnitude.
FT_DEVICE float scale_of(float amax) {
#if FT_CODE_MAX == FT_CODE_MAX_FIXED_240
  constexpr float MAX = 240.0f;
#else
  constexpr float MAX = Element::MAX;
#endif
#if FT_SCALE_FLOOR == FT_SCALE_FLOOR_ONE
  return amax == 0.0f ? 1.0f : amax / MAX;
#else
  return (amax > 1e-8f ? amax : 1e-8f) / MAX;
#endif
}

FT_DEVICE Stored<Element> codes_of(Numbers x, float scale) {
  FT_UNROLL
  for (int k = 0; k < kPerLane; ++k) {
    code_operands(x.low[k], scale);
    code_operands(x.high[k], scale);
  }
  return stored_of<Element>(x);
}

template <bool IS_V, int HEADS>
FT_DEVICE char* scale_address(const Cache& cache, ft_i64 slot, int head) {
  char* const scales = IS_V ? cache.v_scale : cache.k_scale;
  const ft_i64 stride = IS_V ? cache.v_scale_stride : cache.k_scale_stride;
#if FT_QUANT == FT_QUANT_PER_PAGE
  const ft_i64 page = slot / kPage;
  return scales + 4 * (FT_BY_HEAD ? head * stride + page : page * stride + head);
#else
  return scales + 4 * (FT_BY_HEAD ? head * stride + slot
                                  : slot / kPage * stride + head * kPage + slot % kPage);
#endif
}

FT_DEVICE void store_float(char* at, float value) {
  ft_store<4>(at, ft_vec<4>{{ft_f32_to_bits(value)}});
}
FT_DEVICE float load_float(const char* at) { return ft_bits_to_f32(ft_load<4>(at).word[0]); }

#endif

// The scale of k or v where each has one, else 1.
FT_DEVICE float load_tensor_scale(const Cache& cache, bool is_v) {
#if FT_QUANT == FT_QUANT_PER_TENSOR
  return load_float(is_v ? cache.v_scale : cache.k_scale);
#else
  (void)cache, (void)is_v;
  return 1.0f;
#endif
}

#if FT_QUANT != FT_QUANT_PER_PAGE

// One head of a token, as the cache holds it: `row`, or codes of `x`. All lanes of the row take
// part; those of a slot below 0 only in the largest magnitude. `ahead`: where kApart, the places of
// k.
template <bool IS_V, int HEADS>
FT_DEVICE void write_to_cache(const Cache& cache, ft_i64 slot, int head, int lane,
                              const Stored<FT_TYPE_ACT>& row, Numbers x, float tensor_scale,
                              const CachePlaces& ahead = {}) {
  lane = ft_opaque(lane);  // places in a cache are not kept from row to row
  (void)tensor_scale, (void)ahead;
#if FT_QUANT == FT_QUANT_NONE
  (void)x;
  if (slot < 0) return;
  const Stored<Element>& elements = row;
#else
  (void)row;
  if constexpr (!IS_V) round_source(x);
#if FT_QUANT == FT_QUANT_PER_TOKEN
  const float scale = scale_of(ft_wave_max<kLanes>(largest_magnitude(x)));
  if (slot < 0) return;
  if (lane == 0) store_float(scale_address<IS_V, HEADS>(cache, slot, head), scale);
#else
  if (slot < 0) return;
  const float scale = tensor_scale;
#endif
  const Stored<Element> elements = codes_of(x, scale);
#endif
  if constexpr (kApart && !IS_V) {
    store_in_places<IS_V>(ahead, elements);
  } else {
    store_in_slot<IS_V, HEADS>(cache, slot, head, lane, elements);
  }
}

#endif
#endif
