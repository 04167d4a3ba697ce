#pragma once
// The checks of results over all passes: poison, exact, values, norms, untouched, determinism.

#include <span>
#include <string>
#include <vector>

#include "harness/verify/explain.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

struct ResultMetrics {
  std::vector<OutputMetrics> outputs;  ///< the worst over the passes
  std::string mismatch_map;            ///< of the worst output, "" where nothing is wrong
};

/// Compares what the passes hold with what they should, and sorts every difference into the check
/// that names its cause. Outputs that are not exact climb the ladder; without a truth they are
/// compared byte for byte. `cosine_min` is a sweep's own demand on them, -1 for none.
ResultMetrics check_results(const Case& which, std::span<const Pass> passes,
                            const Explainer& explainer, Findings* findings, double cosine_min = -1);

/// Compares the elements of a further run with those of the first under the same inputs.
void check_repeat(const Case& which, const TensorImages& first, const TensorImages& again,
                  const Explainer& explainer, Findings* findings);

/// A proof that compared nothing proves nothing, except of a case without elements.
void check_compared(const Case& which, Findings* findings);

}  // namespace fusetune
