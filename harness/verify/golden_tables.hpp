#pragma once
// Tables that golden cases hold by their frequencies: cosines and sines of position * frequency.

#include <string>

#include "harness/spec/geometry.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

/// `kind`: "cos", "sin", or "packed", which is both side by side. From the case's tensors
/// `inv_freq` and `positions`: the rows at its positions, each frequency once, or over and over
/// where the table is wider. Other rows are zero. Throws UserError: another kind, tensors that are
/// not there or no fp32 and i64, positions outside of the table.
StoredTensor golden_table(const GoldenCase& golden, const std::string& kind,
                          const TensorShape& shape);

}  // namespace fusetune
