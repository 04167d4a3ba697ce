#pragma once
// From decided races to tables: rows, intervals and certificates.

#include <filesystem>
#include <vector>

#include "harness/tune/campaign.hpp"

namespace fusetune {

/// What the tables of this device in `results` hold now. A file that cannot be read counts as none.
Incumbents incumbents_of(const Plan& plan, const DeviceProperties& device,
                         const std::filesystem::path& results);

/// Winners and baselines of cases that were too large to be proved before the race are proved at
/// their own shape now; a winner that fails loses its case to the baseline.
ProofSummary prove_large_finalists(const Plan& plan, Campaign& campaign, Session& session);

/// One table per family. Rows of geometries that this campaign does not touch are taken over from
/// the files in `results`.
std::vector<Table> tables_of(const Plan& plan, const Campaign& campaign,
                             const std::filesystem::path& results);

}  // namespace fusetune
