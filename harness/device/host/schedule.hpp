#pragma once
// Orders in which blocks, waves and lanes run. Seed 0 is the natural one.

#include <cstdint>
#include <numeric>

namespace fusetune {

/// SplitMix64's finaliser: spreads a seed over all bits.
inline std::uint64_t spread_bits(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// A permutation of 0..count-1 that needs no memory, for grids of any size.
class Permutation {
 public:
  Permutation(std::uint64_t count, std::uint64_t seed) : count_(count) {
    if (seed == 0 || count < 2) return;
    const std::uint64_t bits = spread_bits(seed);
    offset_ = (bits >> 32) % count;
    stride_ = 1 + (bits & 0xffffffffu) % (count - 1);
    while (std::gcd(stride_, count) != 1) stride_ = stride_ % (count - 1) + 1;
  }
  /// Counts stay below 2^62 and strides below 2^32, so 128 bits hold every product.
  std::uint64_t operator()(std::uint64_t i) const {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::uint64_t>((Wide{i} * stride_ + offset_) % count_);
  }
  bool natural() const { return stride_ == 1 && offset_ == 0; }

 private:
  std::uint64_t count_;
  std::uint64_t stride_ = 1;
  std::uint64_t offset_ = 0;
};

}  // namespace fusetune
