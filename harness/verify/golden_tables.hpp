#pragma once
// Tables that golden cases hold by their frequencies: cosines and sines of position * frequency.

#include <string>

#include "harness/spec/geometry.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

/// A tensor that the file describes instead of holding it. `kind`: "cos", "sin", or "packed", which
/// is both side by side, from the case's tensors `inv_freq` and `positions`: the rows at its
/// positions, each frequency once, or over and over where the table is wider; other rows are zero.
/// "bf16_patterns" is every bit pattern in order and "indices" every element's place. Throws
/// UserError: another kind, tensors that are not there or no fp32 and i64, positions outside of the
/// table, patterns of another type or number.
StoredTensor golden_table(const GoldenCase& golden, const std::string& kind,
                          const TensorShape& shape);

/// `bits` in every element.
StoredTensor golden_filled(const TensorShape& shape, std::uint64_t bits);

}  // namespace fusetune
