#include "harness/table/row_case.hpp"

#include <algorithm>
#include <stdexcept>

namespace fusetune {

Case case_of(const Geometry& geometry, std::int64_t rows) {
  CaseRequest request;
  request.family = geometry.family;
  request.statics = geometry.statics;
  request.dtypes = geometry.dtypes;
  request.runtime[geometry.family->rows] = rows;
  Case dense;
  dense.geometry = geometry;
  dense.runtime = make_case(request).runtime;  // shapes may follow any of them
  for (const TensorDecl* tensor : tensors_of(geometry)) {
    const std::int64_t element = size_bytes(geometry.dtypes.at(tensor->dtype));
    const std::int64_t align = std::max(geometry.align_bytes.at(tensor->name), element);
    request.base_align_bytes[tensor->name] = align;
    if (!tensor->runtime_row_stride) continue;
    const std::int64_t step = align / element;
    const std::int64_t elements = shape_of(dense, *tensor).row_elements;
    request.row_strides[tensor->name] = (elements + step - 1) / step * step;
  }
  Case which = make_case(request);
  if (which.geometry.key() != geometry.key())
    throw std::logic_error("no case has the geometry " + geometry.key());
  return which;
}

}  // namespace fusetune
