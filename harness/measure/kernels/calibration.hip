// What `fusetune doctor` measures a device with. Sizes are in vectors of 16 bytes; grids may have
// any size.
#include "ft.h"

typedef ft_vec<16> vector;

FT_DEVICE ft_i64 first_vector() { return static_cast<ft_i64>(blockIdx.x) * FT_BLOCK_SIZE + threadIdx.x; }
FT_DEVICE ft_i64 vector_step() { return static_cast<ft_i64>(gridDim.x) * FT_BLOCK_SIZE; }

FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_empty(ft_i64 vectors) {}

/// Writes where the words that a thread read have a certain XOR, which no data of ours has but once.
FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_read(const void *a, void *y, ft_i64 vectors) {
  const vector *in = static_cast<const vector *>(a);
  ft_u32 all = 0;
  FT_UNROLL_BY_4
  for (ft_i64 i = first_vector(); i < vectors; i += vector_step()) {
    const vector one = in[i];
    all ^= one.word[0] ^ one.word[1] ^ one.word[2] ^ one.word[3];
  }
  if (all == 0x5eed1e55u) static_cast<ft_u32 *>(y)[0] = all;
}

FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_fill(void *y, ft_i64 vectors) {
  for (ft_i64 i = first_vector(); i < vectors; i += vector_step()) {
    vector one;
    for (int w = 0; w < 4; ++w) one.word[w] = static_cast<ft_u32>(i) + static_cast<ft_u32>(w);
    static_cast<vector *>(y)[i] = one;
  }
}

FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_copy(const void *a, void *y, ft_i64 vectors) {
  FT_UNROLL_BY_4
  for (ft_i64 i = first_vector(); i < vectors; i += vector_step())
    static_cast<vector *>(y)[i] = static_cast<const vector *>(a)[i];
}

FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_add(const void *a, const void *b, void *y, ft_i64 vectors) {
  FT_UNROLL_BY_4
  for (ft_i64 i = first_vector(); i < vectors; i += vector_step()) {
    const vector one = static_cast<const vector *>(a)[i];
    const vector other = static_cast<const vector *>(b)[i];
    vector sum;
    for (int w = 0; w < 4; ++w) sum.word[w] = one.word[w] + other.word[w];
    static_cast<vector *>(y)[i] = sum;
  }
}

/// 128 of every 512 bytes, as partial rotary embeddings touch them.
FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_strided(const void *a, void *y, ft_i64 vectors) {
  FT_UNROLL_BY_4
  for (ft_i64 i = first_vector(); i < vectors; i += vector_step()) {
    const ft_i64 at = i / 8 * 32 + i % 8;
    static_cast<vector *>(y)[at] = static_cast<const vector *>(a)[at];
  }
}

/// Works without memory.
FT_KERNEL(FT_BLOCK_SIZE)
void calibrate_spin(void *y, ft_i64 vectors) {
  ft_u32 value = static_cast<ft_u32>(first_vector());
  FT_NO_UNROLL
  for (ft_i64 i = 0; i < vectors; ++i) value = value * 1664525u + 1013904223u;
  static_cast<ft_u32 *>(y)[first_vector()] = value;
}
