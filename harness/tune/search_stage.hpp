#pragma once
// Spaces too large to race as a whole: a strategy asks for variants in batches, each is compiled,
// proved and timed in short, and what is left is a plan of those that were tried.

#include <memory>

#include "harness/tune/campaign.hpp"

namespace fusetune {

struct SearchedPlan {
  Plan plan;  ///< as it was where nothing is to be searched
  SearchWork work;
  std::unique_ptr<CampaignWorkers> workers{};  ///< of the search, for what follows it
};

/// Searches the geometries with more variants than the sweep's evaluations. Each step is recorded
/// as in any campaign, and the proposals follow from the seed and the records: a search that was
/// killed goes on where it was. An interrupted one returns what it has.
SearchedPlan search_plan(Plan plan, const DeviceProperties& device, Session& session);

/// As tune_campaign over the plan, with the search's work and workers for its own: what the rounds
/// did is not said to have been found.
Campaign tune_searched(SearchedPlan& searched, const DeviceProperties& device,
                       const Session& session);

}  // namespace fusetune
