#include "harness/base/digest.hpp"

#include <bit>
#include <cstring>
#include <mutex>

#include "harness/base/mix.hpp"
#include "harness/base/parallel.hpp"

namespace fusetune {

namespace {

// The kernel has the same.
constexpr std::uint64_t kPlaceLow = 0x9E3779B97F4A7C15u, kPlaceHigh = 0xC2B2AE3D27D4EB4Fu;

static_assert(std::endian::native == std::endian::little);

}  // namespace

void DigestSum::add(std::uint64_t word, std::uint64_t place) {
  sum_.low += mix64(word + kPlaceLow * (place + 1));
  sum_.high += mix64(std::rotl(word, 32) ^ kPlaceHigh * (place + 1));
}

void DigestSum::add(const Digest& part) {
  sum_.low += part.low;
  sum_.high += part.high;
}

Digest DigestSum::take(std::size_t size_bytes) const {
  return {mix64(sum_.low ^ size_bytes), mix64(sum_.high + size_bytes)};
}

Digest digest_of(const std::byte* data, std::size_t size_bytes) {
  constexpr std::int64_t kWordsAtATime = 256 << 10;
  const std::size_t words = size_bytes / sizeof(std::uint64_t);
  std::mutex mutex;
  DigestSum sum;
  for_parts(static_cast<std::int64_t>(words), kWordsAtATime,
            [&](std::int64_t first, std::int64_t past) {
              DigestSum part;
              for (std::int64_t place = first; place < past; ++place) {
                std::uint64_t word = 0;
                std::memcpy(&word, data + place * std::int64_t{sizeof word}, sizeof word);
                part.add(word, static_cast<std::uint64_t>(place));
              }
              const std::lock_guard lock(mutex);
              sum.add(part.sum());
            });
  if (const std::size_t rest = size_bytes % sizeof(std::uint64_t); rest != 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + words * sizeof word, rest);
    sum.add(word, words);
  }
  return sum.take(size_bytes);
}

}  // namespace fusetune
