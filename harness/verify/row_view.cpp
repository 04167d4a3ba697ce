#include "harness/verify/row_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace fusetune {

std::optional<RowDimension> row_dimension(const TensorDecl& tensor, const TensorShape& at_a,
                                          std::int64_t rows_a, const TensorShape& at_b,
                                          std::int64_t rows_b) {
  std::optional<RowDimension> found;
  for (std::size_t d = 0; d < at_a.dims.size(); ++d) {
    if (at_a.dims[d] == at_b.dims[d]) continue;
    if (found || at_a.dims[d] != rows_a || at_b.dims[d] != rows_b)
      throw std::runtime_error(fmt::format(
          "{} is {} at {} rows and {} at {}: no dimension of it counts the rows", tensor.name,
          fmt::join(at_a.dims, " x "), rows_a, fmt::join(at_b.dims, " x "), rows_b));
    found.emplace();
    for (std::size_t before = 0; before < d; ++before) found->outer *= at_a.dims[before];
    for (std::size_t behind = d + 1; behind < at_a.dims.size(); ++behind)
      found->inner *= at_a.dims[behind];
  }
  return found;
}

void for_rows(const RowDimension& dimension, const RowRange& a, const RowRange& b,
              std::int64_t count,
              const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& use) {
  for (std::int64_t outer = 0; outer < dimension.outer; ++outer)
    for (std::int64_t row = 0; row < count; ++row)
      use((outer * a.rows + a.from + row) * dimension.inner,
          (outer * b.rows + b.from + row) * dimension.inner, dimension.inner);
}

}  // namespace fusetune
