#pragma once
// From decided races to tables: rows, intervals and certificates.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/tune/campaign.hpp"

namespace fusetune {

/// By family name.
using Tables = std::map<std::string, Table>;

/// Throws UserError where tables of this device cannot be written.
void require_writable_results(const DeviceProperties& device, const std::filesystem::path& results);

/// The tables of this device and the plan's families in `results`. Throws UserError for one that
/// cannot be read.
Tables present_tables(const Plan& plan, const DeviceProperties& device,
                      const std::filesystem::path& results);

/// The variants that the tables hold now.
Incumbents incumbents_of(const Tables& tables);

/// Winners and baselines of cases that were too large to be proved before the race are proved at
/// their own shape now, after their timing. A winner that fails gives its case to the baseline;
/// without a proved baseline the case has no row.
void prove_large_finalists(const Plan& plan, Campaign& campaign, Session& session);

/// One table per family that has a new row. Rows of the present tables stay where this campaign has
/// none for their geometry and row count, and, within a geometry that it did tune, where they come
/// from the same source.
std::vector<Table> tables_of(const Plan& plan, const Campaign& campaign, const Tables& present);

}  // namespace fusetune
