#pragma once
// What several proofs compared and measured, taken together.

#include <string>
#include <vector>

#include "harness/verify/proof.hpp"

namespace fusetune {

/// Adds `more` to `sums` by check name.
void add_checks(std::vector<CheckCount>& sums, const std::vector<CheckCount>& more);

/// The worst of each figure, by tensor.
void add_outputs(std::vector<OutputMetrics>& sums, const std::vector<OutputMetrics>& more);

/// Texts that are not there yet.
void add_texts(std::vector<std::string>& sums, const std::vector<std::string>& more);

}  // namespace fusetune
