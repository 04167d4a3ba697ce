#pragma once
// Content hashes (xxHash3). Fast and stable over platforms; not meant against an adversary.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace fusetune {

/// 32 hexadecimal digits of the 128-bit hash.
std::string hash_hex(std::string_view bytes);

/// As hash_hex, over several parts; part boundaries count ("ab","c" differs from "a","bc").
std::string hash_hex(std::initializer_list<std::string_view> parts);

/// Collects fields for one hash, so that their boundaries count. Keeps none of them: a key takes in
/// whole sources.
class HashFields {
 public:
  HashFields();
  void add(std::string_view text);
  void add(std::uint64_t number);
  std::string hex() const;

 private:
  static constexpr std::size_t kStateBytes = 576;
  alignas(64) std::array<std::byte, kStateBytes> state_;
};

std::uint64_t hash64(const void* data, std::size_t size_bytes, std::uint64_t seed = 0);

}  // namespace fusetune
