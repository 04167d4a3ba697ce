#pragma once
// The parts of a proof with runs of their own, made at one small case of a variant.

#include <span>

#include "harness/verify/bench.hpp"

namespace fusetune {

/// For every output that may lie in the memory of an input, `base` again with it lying there; then
/// all of them at once.
void check_aliases(Bench& bench, const Pass& base);

/// Starting from `base`, gives one input after the other new content: the reference's results must
/// change each time, and the kernel's with them. Only one input differs from the launches before.
void check_input_impact(Bench& bench, const Pass& base);

/// Two passes in two arenas without a synchronise between them, then with their contents exchanged.
void check_back_to_back(Bench& bench, const Pass& one, const Pass& other);

/// Outputs that are not exact, beside those of the baseline from the same inputs: a cosine of at
/// least 0.9999, and norms within 0.1 %. A baseline whose own results are not what they should be
/// is left out and said; its own proof shows why.
void check_baseline(Bench& bench, const RunnableVariant& baseline, const Pass& base);

}  // namespace fusetune
