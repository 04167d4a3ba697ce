#pragma once
// Tensors as matrices of bytes, for what is moved and not computed.

#include <Eigen/Core>

#include "reference/reference.hpp"

namespace fusetune::reference {

using Bytes = Eigen::Matrix<std::uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ByteRows = Eigen::Map<Bytes, Eigen::Unaligned, Eigen::OuterStride<>>;

/// One row per row of the tensor, its other dimensions side by side.
inline ByteRows byte_rows(const Tensor& tensor) {
  std::int64_t width = tensor.element_bytes;
  for (std::size_t d = 1; d < tensor.dims.size(); ++d) width *= tensor.dims[d];
  const std::int64_t stride =
      tensor.dims.size() == 1 ? tensor.element_bytes : tensor.row_stride * tensor.element_bytes;
  return {reinterpret_cast<std::uint8_t*>(tensor.data), tensor.dims.at(0), width,
          Eigen::OuterStride<>(stride)};
}

}  // namespace fusetune::reference
