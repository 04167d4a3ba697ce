#include "harness/verify/images.hpp"

#include <algorithm>
#include <cstring>

#include "harness/verify/codec.hpp"

namespace fusetune {

TensorImage::TensorImage(const TensorShape& tensor_shape)
    : shape(tensor_shape),
      bytes(tensor_shape.elements() == 0
                ? 0
                : static_cast<std::size_t>((tensor_shape.rows() - 1) * stride_bytes() +
                                           row_bytes())) {}

std::int64_t TensorImage::stride_bytes() const {
  return std::min(device_stride_bytes(), row_bytes() + kGapBytesMax);
}

std::int64_t TensorImage::padding_bytes() const {
  return filled_rows() == 0 ? 0 : (filled_rows() - 1) * (stride_bytes() - row_bytes());
}

std::size_t TensorImage::offset_of(std::int64_t index) const {
  const std::int64_t row = index / shape.row_elements;
  const std::int64_t column = index % shape.row_elements;
  return static_cast<std::size_t>(row * stride_bytes() + column * element_bytes());
}

std::uint64_t bits_at(const TensorImage& image, std::int64_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, image.element(index), static_cast<std::size_t>(image.element_bytes()));
  return bits;
}

double value_at(const TensorImage& image, std::int64_t index) {
  return decode(image.shape.dtype, bits_at(image, index));
}

std::byte poison_byte(Poison poison) {
  return poison == Poison::a ? std::byte{0xFF} : std::byte{0x5A};
}

std::byte padding_byte(Poison poison, std::size_t ordinal, std::size_t offset) {
  // The high byte of a 16-bit element stays that of the poison: still a NaN, still a large number.
  if (offset % 2 == 1) return poison_byte(poison);
  const std::size_t mark = ordinal % 32;
  return static_cast<std::byte>(poison == Poison::a ? 0xFE - mark : 0x5B + mark);
}

void fill_elements(TensorImage& image, Poison poison) {
  for (std::int64_t row = 0; row < image.filled_rows(); ++row)
    std::fill_n(image.bytes.begin() + row * image.stride_bytes(), image.row_bytes(),
                poison_byte(poison));
}

void fill_padding(TensorImage& image, Poison poison, std::size_t ordinal) {
  for (std::int64_t row = 0; row + 1 < image.filled_rows(); ++row) {
    const auto begin = static_cast<std::size_t>(row * image.stride_bytes() + image.row_bytes());
    const auto end = static_cast<std::size_t>((row + 1) * image.stride_bytes());
    for (std::size_t i = begin; i < end; ++i) image.bytes[i] = padding_byte(poison, ordinal, i);
  }
}

TensorImages poisoned_images(const Case& which, Poison poison) {
  TensorImages images;
  std::size_t ordinal = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    TensorImage& image = images[tensor->name] = TensorImage(shape_of(which, *tensor));
    fill_elements(image, poison);
    fill_padding(image, poison, ordinal++);
  }
  return images;
}

bool is_filled(Role role) { return role == Role::in || role == Role::inout || role == Role::state; }

bool is_result(Role role) {
  return role == Role::out || role == Role::inout || role == Role::state;
}

}  // namespace fusetune
