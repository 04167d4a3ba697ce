#pragma once
// Values with what rounding on the way to them may cost.

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "reference/numbers.hpp"

namespace fusetune::reference {

/// A result and the magnitudes of the terms it is made of.
struct Terms {
  Matrix value, magnitude;

  /// Puts a block of columns, all rows of it.
  void set(std::int64_t column, const Terms& block) {
    value.middleCols(column, block.value.cols()) = block.value;
    magnitude.middleCols(column, block.value.cols()) = block.magnitude;
  }
};

/// What a sum of `terms` numbers in fp32 may be off by, relative to their magnitudes. The
/// tolerances of family.yaml are the same.
double fp32_error(std::int64_t terms);

/// Rounded to the type. What lies at a tie may fall to the other side of it and be off by a whole
/// step: that adds to the magnitudes, in units of `error`.
Terms rounded(const std::string& dtype, const Terms& exact, double error);

/// The bytes of a tensor's elements, for what is moved and not computed.
class Bits {
 public:
  explicit Bits(const Tensor& tensor);
  /// A tensor of as many rows, of as many elements.
  void copy_to(const Tensor& tensor) const;
  /// `count` elements of a row.
  const std::byte* at(std::int64_t row, std::int64_t column) const {
    return bytes_.data() + (row * columns_ + column) * element_bytes_;
  }
  std::int64_t element_bytes() const { return element_bytes_; }

 private:
  std::int64_t rows_, columns_, element_bytes_;
  std::vector<std::byte> bytes_;
};

}  // namespace fusetune::reference
