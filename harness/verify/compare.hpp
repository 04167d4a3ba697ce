#pragma once
// Exact comparison: bytes, element by element, row padding left out.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "harness/verify/images.hpp"

namespace fusetune {

/// The bytes of both elements are equal. The images have the same shape.
bool same_element(const TensorImage& a, const TensorImage& b, std::int64_t index);

/// Calls use(differs) with a function that tells whether element `i` behind two pointers differs:
/// one for each size, as rows are compared by the million.
template <typename Use>
void with_element_comparison(std::int64_t element_bytes, const Use& use) {
  const auto of_type = [&use](auto zero) {
    use([zero](const std::byte* a, const std::byte* b, std::int64_t i) {
      auto x = zero, y = zero;
      std::memcpy(&x, a + i * std::int64_t{sizeof x}, sizeof x);
      std::memcpy(&y, b + i * std::int64_t{sizeof y}, sizeof y);
      return x != y;
    });
  };
  switch (element_bytes) {
    case 1:
      return of_type(std::uint8_t{});
    case 2:
      return of_type(std::uint16_t{});
    case 4:
      return of_type(std::uint32_t{});
    default:
      return of_type(std::uint64_t{});
  }
}

/// Calls visit(index) for every element that differs, ascending. Returns the elements compared.
template <typename Visit>
std::int64_t for_each_difference(const TensorImage& a, const TensorImage& b, const Visit& visit) {
  if (a.bytes.shares_with(b.bytes)) return a.filled_rows() * a.shape.row_elements;
  with_element_comparison(a.element_bytes(), [&](const auto& differs) {
    for (std::int64_t row = 0; row < a.filled_rows(); ++row) {
      const std::int64_t first = row * a.shape.row_elements;
      const std::byte *in_a = a.element(first), *in_b = b.element(first);
      if (std::memcmp(in_a, in_b, static_cast<std::size_t>(a.row_bytes())) == 0) continue;
      for (std::int64_t i = 0; i < a.shape.row_elements; ++i)
        if (differs(in_a, in_b, i)) visit(first + i);
    }
  });
  return a.filled_rows() * a.shape.row_elements;
}

/// Clears the flags of elements that differ.
void keep_equal(const TensorImage& a, const TensorImage& b, std::vector<std::uint8_t>& flags);

/// Where row padding differs first.
struct PaddingDifference {
  std::int64_t row = 0;          ///< behind which it lies
  std::int64_t first_byte = 0;   ///< counted from the end of the row's elements
  std::int64_t bytes = 0;        ///< from the first to past the last that differ behind that row
  std::int64_t total_bytes = 0;  ///< that differ, over all rows
};
std::optional<PaddingDifference> compare_padding(const TensorImage& actual,
                                                 const TensorImage& expected);

/// "0x7f81": the element as one number of its width.
std::string hex_of(const TensorImage& image, std::int64_t index);

}  // namespace fusetune
