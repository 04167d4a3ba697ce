#include "harness/verify/compare.hpp"

#include <fmt/format.h>

namespace fusetune {

bool same_element(const TensorImage& a, const TensorImage& b, std::int64_t index) {
  return std::memcmp(a.element(index), b.element(index),
                     static_cast<std::size_t>(a.element_bytes())) == 0;
}

void keep_equal(const TensorImage& a, const TensorImage& b, std::vector<std::uint8_t>& flags) {
  if (a.bytes.shares_with(b.bytes)) return;
  with_element_comparison(a.element_bytes(), [&](const auto& differs) {
    for (std::int64_t row = 0; row < a.filled_rows(); ++row) {
      const std::int64_t first = row * a.shape.row_elements;
      const std::byte *in_a = a.element(first), *in_b = b.element(first);
      std::uint8_t* const flag = flags.data() + first;
      for (std::int64_t i = 0; i < a.shape.row_elements; ++i)
        flag[i] = flag[i] & static_cast<std::uint8_t>(!differs(in_a, in_b, i));
    }
  });
}

std::optional<PaddingDifference> compare_padding(const TensorImage& actual,
                                                 const TensorImage& expected) {
  std::optional<PaddingDifference> difference;
  if (actual.bytes.shares_with(expected.bytes)) return difference;
  const std::int64_t padding_bytes = actual.stride_bytes() - actual.row_bytes();
  for (std::int64_t row = 0; row + 1 < actual.filled_rows(); ++row) {
    const std::int64_t begin = row * actual.stride_bytes() + actual.row_bytes();
    if (std::memcmp(actual.bytes.data() + begin, expected.bytes.data() + begin,
                    static_cast<std::size_t>(padding_bytes)) == 0)
      continue;
    for (std::int64_t i = 0; i < padding_bytes; ++i) {
      if (actual.bytes[begin + i] == expected.bytes[begin + i]) continue;
      if (!difference) difference = PaddingDifference{.row = row, .first_byte = i};
      if (difference->row == row) difference->bytes = i + 1 - difference->first_byte;
      ++difference->total_bytes;
    }
  }
  return difference;
}

std::string hex_of(const TensorImage& image, std::int64_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, image.element(index), static_cast<std::size_t>(image.element_bytes()));
  return fmt::format("0x{:0{}x}", value, 2 * image.element_bytes());
}

}  // namespace fusetune
