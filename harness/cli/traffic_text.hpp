#pragma once
// Traces as text and JSON: per variant, per source line, and what became of a sweep's requirements.

#include <string>

#include "harness/base/json.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

class VariantLegend;

/// One row per variant and entry: access widths, segments, coalescing, bank conflicts.
std::string traffic_table(const Plan& plan, const TrafficSummary& traffic, std::size_t geometry,
                          VariantLegend& variants, VariantLegend& entries);
/// One row per source line, width and direction; "" for a variant that was not traced.
std::string lines_table(const TrafficSummary& traffic, std::size_t geometry, std::size_t variant);
/// What the columns mean.
std::string traffic_notes();

/// Facts, sums and sites of one variant; null when it has no instrumented code.
Json traffic_json(const TrafficSummary& traffic, std::size_t geometry, std::size_t variant);

/// What a campaign traced and what it pruned by that, in lines.
std::string requirements_text(const Plan& plan, const Campaign& campaign);
/// Counts for a campaign's document.
Json requirements_json(const Plan& plan, const Campaign& campaign);

}  // namespace fusetune
