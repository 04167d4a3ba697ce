#pragma once
// What a run ends with: tables of at most kLineWidth columns, failures by class, files, the next
// command; or one JSON document.

#include <string>

#include "harness/cli/options.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// The row count of a case, with what tells it from other cases of as many rows: "8",
/// "8 num_actual_tokens=4".
std::string case_label(const PlannedGeometry& geometry, std::size_t index);

/// Winners per geometry and row count.
std::string winners_text(const Plan& plan, const Campaign& campaign, const Terminal& terminal);

/// Failures by status and target with a count, the first message and one repro command each; ""
/// when there is none.
std::string failures_text(const Campaign& campaign, const GlobalOptions& global);

/// What was compiled, proved and measured, what was found done, and what was compared.
std::string work_text(const Plan& plan, const Campaign& campaign);

/// What was skipped, what could not be compiled for lack of a compiler, and alternatives without a
/// launch.
std::string remarks_text(const Plan& plan, const Campaign& campaign);

Json campaign_json(const Plan& plan, const Campaign& campaign, const GlobalOptions& global);

}  // namespace fusetune
