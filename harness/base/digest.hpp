#pragma once
// What names the content of a piece of memory, on this machine or on a device
// (harness/verify/kernels/digest.hip gives the same). Not meant against an adversary.

#include <compare>
#include <cstddef>
#include <cstdint>

namespace fusetune {

struct Digest {
  std::uint64_t low = 0, high = 0;
  auto operator<=>(const Digest&) const = default;
};

/// Two sums over the words of 8 bytes, each mixed with its place, so that parts can be summed in
/// any order; the last word is filled up with zeros.
class DigestSum {
 public:
  /// Bytes whose first word is at this place of the content; all but the last are whole words.
  void add(const std::byte* data, std::size_t size_bytes, std::uint64_t place);
  /// Of words that were summed elsewhere.
  void add(const Digest& part);
  /// Of all words of a content of so many bytes.
  Digest take(std::size_t size_bytes) const;
  const Digest& sum() const { return sum_; }

 private:
  void add_word(std::uint64_t word, std::uint64_t place);

  Digest sum_;
};

Digest digest_of(const std::byte* data, std::size_t size_bytes);

}  // namespace fusetune
