// Names what memory holds, as harness/base/digest.cpp does on this machine.
#include "ft.h"

namespace {

/// Of one region of memory; all but the region's last are whole words.
struct Part {
  ft_u64 address;
  ft_i64 bytes;
  ft_i64 place;  // of its first word in the region
};

FT_DEVICE ft_u64 mixed(ft_u64 x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// The word at index i of a part that may begin at any byte. Reads aligned words alone; what they
/// hold besides lies in the same page.
FT_DEVICE ft_u64 word_of(const Part& part, ft_i64 i) {
  const ft_u64* aligned = reinterpret_cast<const ft_u64*>(part.address & ~7ull);
  const int ahead = static_cast<int>(part.address & 7);
  const ft_i64 left = part.bytes - 8 * i;
  ft_u64 word = aligned[i] >> (8 * ahead);
  if (ahead != 0 && ahead + left > 8) word |= aligned[i + 1] << (64 - 8 * ahead);
  return left >= 8 ? word : word & ((1ull << (8 * left)) - 1);
}

}  // namespace

/// One block for each of `count` parts; two sums for each.
FT_KERNEL(FT_BLOCK_SIZE)
void digest_parts(const void* parts, void* sums, ft_i64 count) {
  FT_SHARED ft_u64 low[FT_BLOCK_SIZE];
  FT_SHARED ft_u64 high[FT_BLOCK_SIZE];
  const int thread = static_cast<int>(threadIdx.x);
  const ft_i64 at = static_cast<ft_i64>(blockIdx.x);
  ft_u64 sum_low = 0, sum_high = 0;
  if (at < count) {
    const Part part = static_cast<const Part*>(parts)[at];
    const ft_i64 words = (part.bytes + 7) / 8;
    FT_UNROLL_BY_4
    for (ft_i64 i = thread; i < words; i += FT_BLOCK_SIZE) {
      const ft_u64 word = word_of(part, i);
      const ft_u64 place = static_cast<ft_u64>(part.place + i + 1);
      sum_low += mixed(word + 0x9E3779B97F4A7C15ull * place);
      sum_high += mixed((word << 32 | word >> 32) ^ (0xC2B2AE3D27D4EB4Full * place));
    }
  }
  low[thread] = sum_low;
  high[thread] = sum_high;
  ft_block_sync();
  for (int half = FT_BLOCK_SIZE / 2; half > 0; half /= 2) {
    if (thread < half) {
      low[thread] += low[thread + half];
      high[thread] += high[thread + half];
    }
    ft_block_sync();
  }
  if (thread == 0 && at < count) {
    static_cast<ft_u64*>(sums)[2 * at] = low[0];
    static_cast<ft_u64*>(sums)[2 * at + 1] = high[0];
  }
}
