#include "harness/base/hash.hpp"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace fusetune {

std::string hash_hex(std::string_view bytes) {
  const XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

std::string hash_hex(std::initializer_list<std::string_view> parts) {
  constexpr std::size_t kLengthAndColon = 21;
  std::size_t bytes = 0;
  for (std::string_view part : parts) bytes += part.size() + kLengthAndColon;
  std::string joined;
  joined.reserve(bytes);
  for (std::string_view part : parts) {
    joined += std::to_string(part.size());
    joined += ':';
    joined += part;
  }
  return hash_hex(joined);
}

std::uint64_t hash64(const void* data, std::size_t size_bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size_bytes, seed);
}

}  // namespace fusetune
