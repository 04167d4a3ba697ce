#include "harness/verify/image_bytes.hpp"

#include <algorithm>
#include <utility>

namespace fusetune {

ImageBytes::ImageBytes(std::size_t size_bytes)
    : ImageBytes(std::vector<std::byte>(size_bytes)) {}

ImageBytes::ImageBytes(std::vector<std::byte> bytes)
    : block_(std::make_shared<Block>(Block{std::move(bytes), {}})) {}

void ImageBytes::assign(std::size_t size_bytes, std::byte value) {
  *this = ImageBytes(std::vector<std::byte>(size_bytes, value));
}

const Digest& ImageBytes::digest() const {
  static const Digest kNone = digest_of(nullptr, 0);
  if (!block_) return kNone;
  if (!block_->digest) block_->digest = digest_of(block_->bytes.data(), block_->bytes.size());
  return *block_->digest;
}

bool ImageBytes::operator==(const ImageBytes& other) const {
  return shares_with(other) || std::equal(begin(), end(), other.begin(), other.end());
}

std::vector<std::byte>& ImageBytes::own() {
  if (!block_ || block_.use_count() > 1)
    block_ = std::make_shared<Block>(Block{block_ ? block_->bytes : std::vector<std::byte>{}, {}});
  block_->digest.reset();
  return block_->bytes;
}

}  // namespace fusetune
