#pragma once
// The bytes of an image. Copies share them until one of them is changed.

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "harness/base/digest.hpp"

namespace fusetune {

/// As a vector of bytes. Whoever asks a mutable one for data(), begin(), end() or an element gets
/// bytes of its own, and may write to them until it is copied.
class ImageBytes {
 public:
  ImageBytes() = default;
  /// Zeros.
  explicit ImageBytes(std::size_t size_bytes);
  // NOLINTNEXTLINE(google-explicit-constructor): what files hold is a vector.
  ImageBytes(std::vector<std::byte> bytes);

  std::size_t size() const { return block_ ? block_->bytes.size() : 0; }
  bool empty() const { return size() == 0; }
  const std::byte* data() const { return block_ ? block_->bytes.data() : nullptr; }
  const std::byte* begin() const { return data(); }
  const std::byte* end() const { return data() + size(); }
  const std::byte& operator[](std::size_t at) const { return block_->bytes[at]; }

  std::byte* data() { return own().data(); }
  std::byte* begin() { return data(); }
  std::byte* end() { return data() + size(); }
  std::byte& operator[](std::size_t at) { return own()[at]; }
  void assign(std::size_t size_bytes, std::byte value);

  /// Worked out once for all copies.
  const Digest& digest() const;
  /// Neither has been changed since one was copied from the other.
  bool shares_with(const ImageBytes& other) const {
    return block_ != nullptr && block_ == other.block_;
  }
  bool operator==(const ImageBytes& other) const;

 private:
  struct Block {
    std::vector<std::byte> bytes;
    std::optional<Digest> digest;
  };
  /// For writing.
  std::vector<std::byte>& own();

  std::shared_ptr<Block> block_;
};

}  // namespace fusetune
