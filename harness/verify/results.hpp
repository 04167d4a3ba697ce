#pragma once
// The checks of results over all passes: poison, exact, untouched, determinism.

#include <span>

#include "harness/verify/explain.hpp"
#include "harness/verify/findings.hpp"

namespace fusetune {

/// Compares what the passes hold with what they should, and sorts every difference into the check
/// that names its cause.
void check_results(const Case& which, std::span<const Pass> passes, const Explainer& explainer,
                   Findings* findings);

/// Compares the elements of a further run with those of the first under the same inputs.
void check_repeat(const Case& which, const TensorImages& first, const TensorImages& again,
                  const Explainer& explainer, Findings* findings);

/// A proof that compared nothing proves nothing, except of a case without elements.
void check_compared(const Case& which, Findings* findings);

}  // namespace fusetune
