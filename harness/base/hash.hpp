#pragma once
// Content hashes (xxHash3). Fast and stable over platforms; not meant against an adversary.

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

/// Collects fields for one hash, so that their boundaries count.
class HashFields {
 public:
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_ += text;
  }
  void add(std::uint64_t number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  const std::string& bytes() const { return bytes_; }
  std::string hex() const { return hash_hex(bytes_); }

 private:
  std::string bytes_;
};

std::uint64_t hash64(const void* data, std::size_t size_bytes, std::uint64_t seed = 0);

}  // namespace fusetune
