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

void DigestSum::add_word(std::uint64_t word, std::uint64_t place) {
  sum_.low += mix64(word + kPlaceLow * (place + 1));
  sum_.high += mix64(std::rotl(word, 32) ^ kPlaceHigh * (place + 1));
}

void DigestSum::add(const std::byte* data, std::size_t size_bytes, std::uint64_t place) {
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; at + sizeof word <= size_bytes; at += sizeof word) {
    std::memcpy(&word, data + at, sizeof word);
    add_word(word, place++);
  }
  if (at == size_bytes) return;
  word = 0;
  std::memcpy(&word, data + at, size_bytes - at);
  add_word(word, place);
}

void DigestSum::add(const Digest& part) {
  sum_.low += part.low;
  sum_.high += part.high;
}

Digest DigestSum::take(std::size_t size_bytes) const {
  return {mix64(sum_.low ^ size_bytes), mix64(sum_.high + size_bytes)};
}

Digest digest_of(const std::byte* data, std::size_t size_bytes) {
  constexpr std::int64_t kBytesAtATime = 2 << 20;
  std::mutex mutex;
  DigestSum sum;
  for_parts(static_cast<std::int64_t>(size_bytes), kBytesAtATime,
            [&](std::int64_t first, std::int64_t past) {
              DigestSum part;
              part.add(data + first, static_cast<std::size_t>(past - first),
                       static_cast<std::uint64_t>(first) / sizeof(std::uint64_t));
              const std::lock_guard lock(mutex);
              sum.add(part.sum());
            });
  return sum.take(size_bytes);
}

}  // namespace fusetune
