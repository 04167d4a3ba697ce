#pragma once
// Rotary position embedding in whole columns: angles of all tokens, then heads as matrices times
// them.

#include <string>
#include <vector>

#include "reference/terms.hpp"

namespace fusetune::reference {

/// Cosines and sines, one row per token, one column per frequency.
struct Angles {
  Matrix cos, sin;
};

/// Whose position each frequency takes, 0 time, 1 height, 2 width. `rule`: "none", "interleaved"
/// or "sectioned"; `sections`: frequencies of each axis, whose sum is `half`.
std::vector<int> axes_of(const std::string& rule, const std::vector<std::int64_t>& sections,
                         std::int64_t half);

/// Positions of i32 or i64: one row per axis.
std::vector<std::vector<std::int64_t>> read_positions(const Tensor& tensor);

/// The angles of a case's tokens from its tables, at their positions, one row of these per axis.
/// Option `table_layout` is "packed" (tensor cos_sin: cosines, then sines), "separate" or
/// "duplicated" (tensors cos and sin; each frequency once or twice). Throws std::out_of_range for a
/// position that the table does not have: nothing is defined there.
Angles read_angles(const Problem& p, const std::vector<std::vector<std::int64_t>>& positions,
                   const std::vector<int>& axes);

struct Rotation {
  bool neox = true;          ///< pairs (i, i + half); otherwise (2i, 2i + 1)
  std::string product_type;  ///< products are rounded to it; empty: they are not
};

/// One head per token, rotated in its first 2 * angles.cos.cols() columns; the others stay. The
/// magnitudes are those of `heads` where they are not rotated.
Terms rotate(const Matrix& heads, const Angles& angles, const Rotation& rotation);

}  // namespace fusetune::reference
