#pragma once
// The part of a tensor that belongs to some rows of a case, whichever of its dimensions counts
// them.

#include <cstdint>
#include <functional>
#include <optional>

#include "harness/verify/images.hpp"

namespace fusetune {

/// Which dimension of a tensor counts the rows of the case.
struct RowDimension {
  std::int64_t outer = 1;  ///< product of the dimensions before it
  std::int64_t inner = 1;  ///< of those behind it
};

/// From the shapes at two different row counts; nothing where they are equal. Throws
/// std::runtime_error where they differ otherwise than in one dimension that is the row count.
std::optional<RowDimension> row_dimension(const TensorDecl& tensor, const TensorShape& at_a,
                                          std::int64_t rows_a, const TensorShape& at_b,
                                          std::int64_t rows_b);

/// Calls `use(element of a, element of b, elements)` for every run of elements that lie in one
/// piece in both: `count` rows, from `from_a` of `rows_a` and from `from_b` of `rows_b`.
struct RowRange {
  std::int64_t rows = 0;  ///< of the tensor
  std::int64_t from = 0;
};
void for_rows(const RowDimension& dimension, const RowRange& a, const RowRange& b,
              std::int64_t count,
              const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& use);

}  // namespace fusetune
