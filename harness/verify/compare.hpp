#pragma once
// Exact comparison: bytes, element by element, row padding left out.

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "harness/verify/images.hpp"

namespace fusetune {

/// The bytes of both elements are equal. The images have the same shape.
bool same_element(const TensorImage& a, const TensorImage& b, std::int64_t index);

/// Calls visit(index) for every element that differs, ascending. Returns the elements compared.
template <typename Visit>
std::int64_t for_each_difference(const TensorImage& a, const TensorImage& b, const Visit& visit) {
  for (std::int64_t row = 0; row < a.filled_rows(); ++row) {
    const std::int64_t first = row * a.shape.row_elements;
    if (std::memcmp(a.element(first), b.element(first), static_cast<std::size_t>(a.row_bytes())) ==
        0)
      continue;
    for (std::int64_t i = first; i < first + a.shape.row_elements; ++i)
      if (!same_element(a, b, i)) visit(i);
  }
  return a.filled_rows() * a.shape.row_elements;
}

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
