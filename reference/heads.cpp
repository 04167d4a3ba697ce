#include "reference/heads.hpp"

#include <cmath>

namespace fusetune::reference {

double fp32_error(std::int64_t terms) {
  return 4 * std::sqrt(static_cast<double>(terms)) * 0x1p-24;
}

Terms rounded(const std::string& dtype, const Terms& exact, double error) {
  const Matrix slack = error * exact.magnitude;
  const Matrix above = rounded(dtype, Matrix(exact.value + slack));
  const Matrix below = rounded(dtype, Matrix(exact.value - slack));
  const Matrix steps = (above - below) / error;
  // Infinities have no step.
  return {rounded(dtype, exact.value), exact.magnitude + (steps > 0).select(steps, 0.0)};
}

Bits::Bits(const Tensor& tensor)
    : rows_(tensor.dims.at(0)), columns_(1), element_bytes_(tensor.element_bytes) {
  for (std::size_t i = 1; i < tensor.dims.size(); ++i) columns_ *= tensor.dims[i];
  bytes_.resize(static_cast<std::size_t>(rows_ * columns_ * element_bytes_));
  for (std::int64_t row = 0; row < rows_; ++row)
    std::memcpy(bytes_.data() + row * columns_ * element_bytes_,
                tensor.data + row * tensor.row_stride * element_bytes_,
                static_cast<std::size_t>(columns_ * element_bytes_));
}

void Bits::copy_to(const Tensor& tensor) const {
  for (std::int64_t row = 0; row < rows_; ++row)
    std::memcpy(tensor.data + row * tensor.row_stride * element_bytes_, at(row, 0),
                static_cast<std::size_t>(columns_ * element_bytes_));
}

}  // namespace fusetune::reference
