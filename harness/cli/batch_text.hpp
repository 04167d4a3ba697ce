#pragma once
// What proofs say of the bits of rows in batches.

#include <string>

#include "harness/spec/plan.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// How many variants of a geometry give a row the same bits in every batch, in which classes; ""
/// where that was not asked.
std::string batch_text(const Plan& plan, const Campaign& campaign, std::size_t geometry);

/// The same with every variant: {"classes": [{"class", "variants"}], "others": [{"variant",
/// "why"}]}; null where it was not asked.
Json batch_json(const Plan& plan, const Campaign& campaign, std::size_t geometry);

}  // namespace fusetune
