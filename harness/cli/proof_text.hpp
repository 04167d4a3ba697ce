#pragma once
// What proofs compared, measured and left out, in words: at most kLineWidth columns.

#include <string>

#include "harness/cli/options.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// Per geometry: variants, runs by mode, elements compared, and the worst figures of every output
/// that is not exact.
std::string geometries_text(const Plan& plan, const Campaign& campaign);

/// Of the first variant whose results were wrong: mismatches, the worst element with its inputs,
/// and the map of what is wrong.
std::string mismatches_text(const Campaign& campaign);

/// Parts of the protocol that were left out, each with its reason and its number of variants.
std::string left_out_text(const Campaign& campaign);

/// The same as data: per geometry outputs, what was left out, and failed proofs.
Json proofs_json(const Plan& plan, const Campaign& campaign);

}  // namespace fusetune
