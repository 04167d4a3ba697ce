#ifndef FUSETUNE_FT_VECTORS_H
#define FUSETUNE_FT_VECTORS_H
// Part of ft.h: memory accesses of up to 16 bytes, and elements in them. Comes after ft_floats.h.

// ---- Vectors: one memory access of 2, 4, 8 or 16 bytes --------------------------------------

template <int BYTES>
struct FT_VECTOR(BYTES) ft_vec {
  static_assert(BYTES == 4 || BYTES == 8 || BYTES == 16, "one access is 2, 4, 8 or 16 bytes");
  ft_u32 word[BYTES / 4];
};
template <>
struct FT_VECTOR(2) ft_vec<2> {
  ft_u16 half;
};

/// The 8-bit, 16-bit or 32-bit element `index` of a vector.
template <int BYTES>
FT_DEVICE ft_u8 ft_get8(const ft_vec<BYTES>& vec, int index) {
  if constexpr (BYTES == 2) {
    return static_cast<ft_u8>(vec.half >> (8 * index));
  } else {
    return static_cast<ft_u8>(vec.word[index / 4] >> (8 * (index % 4)));
  }
}
template <int BYTES>
FT_DEVICE void ft_set8(ft_vec<BYTES>& vec, int index, ft_u8 value) {
  if constexpr (BYTES == 2) {
    const ft_u32 kept = vec.half & ~(0xffu << (8 * index));
    vec.half = static_cast<ft_u16>(kept | (static_cast<ft_u32>(value) << (8 * index)));
  } else {
    const int shift = 8 * (index % 4);
    const ft_u32 kept = vec.word[index / 4] & ~(0xffu << shift);
    vec.word[index / 4] = kept | (static_cast<ft_u32>(value) << shift);
  }
}
template <int BYTES>
FT_DEVICE ft_u16 ft_get16(const ft_vec<BYTES>& vec, int index) {
  if constexpr (BYTES == 2) {
    return vec.half;
  } else {
    return static_cast<ft_u16>(vec.word[index / 2] >> (16 * (index % 2)));
  }
}
template <int BYTES>
FT_DEVICE void ft_set16(ft_vec<BYTES>& vec, int index, ft_u16 value) {
  if constexpr (BYTES == 2) {
    vec.half = value;
  } else {
    const int shift = 16 * (index % 2);
    const ft_u32 kept = vec.word[index / 2] & ~(0xffffu << shift);
    vec.word[index / 2] = kept | (static_cast<ft_u32>(value) << shift);
  }
}
template <int BYTES>
FT_DEVICE ft_u32 ft_get32(const ft_vec<BYTES>& vec, int index) {
  return vec.word[index];
}
template <int BYTES>
FT_DEVICE void ft_set32(ft_vec<BYTES>& vec, int index, ft_u32 value) {
  vec.word[index] = value;
}

/// All bits zero.
template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_zero() {
  return ft_vec<BYTES>{};
}

#if defined(FT_HOST)

template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load(const void* address) {
  ft_host_check_alignment(address, BYTES);
  return ft_host_load<ft_vec<BYTES>>(address);
}
template <int BYTES>
FT_DEVICE void ft_store(void* address, ft_vec<BYTES> value) {
  ft_host_check_alignment(address, BYTES);
  *static_cast<ft_vec<BYTES>*>(address) = value;
}
#define ft_load_nontemporal ft_load
#define ft_store_nontemporal ft_store

#else

// The compilers' own vector types: a struct copy may be split, these are one instruction.
template <int BYTES>
struct ft_native;
#define FT_NATIVE(bytes, ...) \
  template <>                 \
  struct ft_native<bytes> {   \
    typedef __VA_ARGS__;      \
  };
#if defined(FT_NVIDIA)
FT_NATIVE(2, unsigned short type)
FT_NATIVE(4, unsigned int type)
FT_NATIVE(8, uint2 type)
FT_NATIVE(16, uint4 type)
#else
FT_NATIVE(2, ft_u16 type __attribute__((may_alias)))
FT_NATIVE(4, ft_u32 type __attribute__((may_alias)))
FT_NATIVE(8, ft_u32 type __attribute__((ext_vector_type(2), may_alias)))
FT_NATIVE(16, ft_u32 type __attribute__((ext_vector_type(4), may_alias)))
#endif
#undef FT_NATIVE

FT_DEVICE ft_vec<2> ft_from_native(ft_native<2>::type value) { return ft_vec<2>{value}; }
FT_DEVICE ft_vec<4> ft_from_native(ft_native<4>::type value) { return ft_vec<4>{{value}}; }
FT_DEVICE ft_vec<8> ft_from_native(ft_native<8>::type value) {
  return ft_vec<8>{{value.x, value.y}};
}
FT_DEVICE ft_vec<16> ft_from_native(ft_native<16>::type value) {
  return ft_vec<16>{{value.x, value.y, value.z, value.w}};
}
FT_DEVICE ft_native<2>::type ft_to_native(ft_vec<2> vec) { return vec.half; }
FT_DEVICE ft_native<4>::type ft_to_native(ft_vec<4> vec) { return vec.word[0]; }
FT_DEVICE ft_native<8>::type ft_to_native(ft_vec<8> vec) {
  const ft_native<8>::type value = {vec.word[0], vec.word[1]};
  return value;
}
FT_DEVICE ft_native<16>::type ft_to_native(ft_vec<16> vec) {
  const ft_native<16>::type value = {vec.word[0], vec.word[1], vec.word[2], vec.word[3]};
  return value;
}

template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load(const void* address) {
  return ft_from_native(*static_cast<const typename ft_native<BYTES>::type*>(address));
}
template <int BYTES>
FT_DEVICE void ft_store(void* address, ft_vec<BYTES> value) {
  *static_cast<typename ft_native<BYTES>::type*>(address) = ft_to_native(value);
}
template <int BYTES>
FT_DEVICE ft_vec<BYTES> ft_load_nontemporal(const void* address) {
  const auto* pointer = static_cast<const typename ft_native<BYTES>::type*>(address);
#if defined(FT_NVIDIA)
  return ft_from_native(__ldcs(pointer));
#else
  return ft_from_native(__builtin_nontemporal_load(pointer));
#endif
}
template <int BYTES>
FT_DEVICE void ft_store_nontemporal(void* address, ft_vec<BYTES> value) {
  auto* pointer = static_cast<typename ft_native<BYTES>::type*>(address);
#if defined(FT_NVIDIA)
  __stcs(pointer, ft_to_native(value));
#else
  __builtin_nontemporal_store(ft_to_native(value), pointer);
#endif
}

#endif

// ---- Packs: some elements of one type, moved by accesses of at most 16 bytes -----------------

template <class T, int COUNT>
struct ft_pack {
  static constexpr int BYTES = COUNT * static_cast<int>(sizeof(T));
  static constexpr int ACCESS = BYTES < 16 ? BYTES : 16;
  static_assert(BYTES % ACCESS == 0, "a pack is whole accesses");
  ft_vec<ACCESS> part[BYTES / ACCESS];
};

template <class T, int COUNT>
FT_DEVICE ft_pack<T, COUNT> ft_load_pack(const void* address) {
  typedef ft_pack<T, COUNT> Pack;
  Pack pack;
  FT_UNROLL
  for (int i = 0; i < Pack::BYTES / Pack::ACCESS; ++i) {
    pack.part[i] = ft_load<Pack::ACCESS>(static_cast<const char*>(address) + i * Pack::ACCESS);
  }
  return pack;
}
template <class T, int COUNT>
FT_DEVICE void ft_store_pack(void* address, const ft_pack<T, COUNT>& pack) {
  typedef ft_pack<T, COUNT> Pack;
  FT_UNROLL
  for (int i = 0; i < Pack::BYTES / Pack::ACCESS; ++i) {
    ft_store<Pack::ACCESS>(static_cast<char*>(address) + i * Pack::ACCESS, pack.part[i]);
  }
}

/// Element `index` of a pack as a number.
template <class T, int COUNT>
FT_DEVICE float ft_get(const ft_pack<T, COUNT>& pack, int index) {
  constexpr int PER_PART = ft_pack<T, COUNT>::ACCESS / static_cast<int>(sizeof(T));
  const auto& part = pack.part[index / PER_PART];
  if constexpr (sizeof(T) == 4) {
    return ft_to_f32(ft_bits<T>(ft_get32(part, index % PER_PART)));
  } else if constexpr (sizeof(T) == 2) {
    return ft_to_f32(ft_bits<T>(ft_get16(part, index % PER_PART)));
  } else {
    return ft_to_f32(ft_bits<T>(ft_get8(part, index % PER_PART)));
  }
}
/// Rounds `value` to the nearest element.
template <class T, int COUNT>
FT_DEVICE void ft_set(ft_pack<T, COUNT>& pack, int index, float value) {
  constexpr int PER_PART = ft_pack<T, COUNT>::ACCESS / static_cast<int>(sizeof(T));
  auto& part = pack.part[index / PER_PART];
  if constexpr (sizeof(T) == 4) {
    ft_set32(part, index % PER_PART, ft_bits<ft_u32>(ft_from_f32<T>(value)));
  } else if constexpr (sizeof(T) == 2) {
    ft_set16(part, index % PER_PART, ft_bits<ft_u16>(ft_from_f32<T>(value)));
  } else {
    ft_set8(part, index % PER_PART, ft_bits<ft_u8>(ft_from_f32<T>(value)));
  }
}

/// The nearest elements to as many numbers.
template <class T, int COUNT>
FT_DEVICE ft_pack<T, COUNT> ft_pack_of(const float (&numbers)[COUNT]) {
  typedef ft_pack<T, COUNT> Pack;
  Pack pack;
  if constexpr (sizeof(T) < 4 && COUNT % 2 == 0) {
    constexpr int PAIRS = Pack::ACCESS / (2 * static_cast<int>(sizeof(T)));
    FT_UNROLL
    for (int i = 0; i < COUNT / 2; ++i) {
      const ft_u32 pair = ft_pair_from_f32<T>(numbers[2 * i], numbers[2 * i + 1]);
      if constexpr (sizeof(T) == 2) {
        ft_set32(pack.part[i / PAIRS], i % PAIRS, pair);
      } else {
        ft_set16(pack.part[i / PAIRS], i % PAIRS, static_cast<ft_u16>(pair));
      }
    }
  } else {
    FT_UNROLL
    for (int i = 0; i < COUNT; ++i) ft_set(pack, i, numbers[i]);
  }
  return pack;
}

/// The nearest elements to the sums of two packs.
template <class T, class A, class B, int COUNT>
FT_DEVICE ft_pack<T, COUNT> ft_pack_sum(const ft_pack<A, COUNT>& a, const ft_pack<B, COUNT>& b) {
  if constexpr (ft_is_same<T, A>::value && ft_is_same<T, B>::value && sizeof(T) == 2 &&
                COUNT % 2 == 0) {
    typedef ft_pack<T, COUNT> Pack;
    constexpr int WORDS = Pack::ACCESS / 4;
    Pack pack;
    FT_UNROLL
    for (int i = 0; i < COUNT / 2; ++i) {
      ft_set32(pack.part[i / WORDS], i % WORDS,
               ft_pair_sum<T>(ft_get32(a.part[i / WORDS], i % WORDS),
                              ft_get32(b.part[i / WORDS], i % WORDS)));
    }
    return pack;
  } else {
    float sums[COUNT];
    FT_UNROLL
    for (int i = 0; i < COUNT; ++i) sums[i] = ft_get(a, i) + ft_get(b, i);
    return ft_pack_of<T>(sums);
  }
}

#endif
