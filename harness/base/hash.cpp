#include "harness/base/hash.hpp"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <new>

namespace fusetune {

namespace {

std::string hex_of(const XXH128_hash_t& hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

std::string hash_hex(std::string_view bytes) {
  return hex_of(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string hash_hex(std::initializer_list<std::string_view> parts) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  for (const std::string_view part : parts) {
    const std::string length = std::to_string(part.size()) + ':';
    XXH3_128bits_update(&state, length.data(), length.size());
    XXH3_128bits_update(&state, part.data(), part.size());
  }
  return hex_of(XXH3_128bits_digest(&state));
}

HashFields::HashFields() {
  static_assert(sizeof(XXH3_state_t) <= kStateBytes && alignof(XXH3_state_t) <= 64);
  XXH3_128bits_reset(new (state_.data()) XXH3_state_t);
}

void HashFields::add(std::string_view text) {
  add(std::uint64_t{text.size()});
  XXH3_128bits_update(reinterpret_cast<XXH3_state_t*>(state_.data()), text.data(), text.size());
}

void HashFields::add(std::uint64_t number) {
  XXH3_128bits_update(reinterpret_cast<XXH3_state_t*>(state_.data()), &number, sizeof number);
}

std::string HashFields::hex() const {
  return hex_of(XXH3_128bits_digest(reinterpret_cast<const XXH3_state_t*>(state_.data())));
}

std::uint64_t hash64(const void* data, std::size_t size_bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size_bytes, seed);
}

}  // namespace fusetune
