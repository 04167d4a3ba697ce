// One word per lane and step. Lines are named in the tests: a trace tells of each of them.
#include "ft.h"

namespace {

constexpr int kQkvWords = FT_QKV_WIDTH / 2;
constexpr int kZWords = FT_Z_WIDTH / 2;
constexpr int kSteps = kQkvWords / FT_BLOCK_SIZE;
constexpr int kSide = 32;

FT_DEVICE int qkv_word(int step) {
  const int lane = static_cast<int>(threadIdx.x);
#if FT_LANES == FT_LANES_APART
  return lane * kSteps + step;
#else
  return step * FT_BLOCK_SIZE + lane;
#endif
}

/// Lanes of a group lie in one column of the tile.
FT_DEVICE int tile_word(int word) { return word % kSide * FT_PITCH + word / kSide; }

}  // namespace

FT_KERNEL(FT_BLOCK_SIZE)
void tiled_rows(const void *qkvz, const void *ba, void *mixed_qkv, void *z, void *b, void *a, ft_i64 tokens) {
  FT_SHARED ft_u32 tile[kSide * FT_PITCH];
  const ft_i64 row = blockIdx.x;
  if (row >= tokens) return;
  const int lane = static_cast<int>(threadIdx.x);
  const ft_u32 *const qkv_in = static_cast<const ft_u32 *>(qkvz) + row * (kQkvWords + kZWords);
  ft_u32 *const qkv_out = static_cast<ft_u32 *>(mixed_qkv) + row * kQkvWords;
  for (int step = 0; step < kSteps; ++step) {
    const ft_u32 word = qkv_in[qkv_word(step)];
    qkv_out[qkv_word(step)] = word;
  }

  const ft_u32 *const z_in = qkv_in + kQkvWords;
  ft_u32 *const z_out = static_cast<ft_u32 *>(z) + row * kZWords;
  for (int word = lane; word < kZWords; word += FT_BLOCK_SIZE) {
    const ft_u32 held = z_in[word];
    tile[tile_word(word)] = held;
  }
  ft_block_sync();
  for (int word = lane; word < kZWords; word += FT_BLOCK_SIZE) {
    const ft_u32 held = tile[tile_word(word)];
    z_out[word] = held;
  }

  const ft_u16 *const gates = static_cast<const ft_u16 *>(ba) + row * 2 * FT_NV;
  if (lane < FT_NV) {
    static_cast<ft_u16 *>(b)[row * FT_NV + lane] = gates[lane];
    static_cast<ft_u16 *>(a)[row * FT_NV + lane] = gates[FT_NV + lane];
  }
}
