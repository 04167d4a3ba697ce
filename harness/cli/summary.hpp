#pragma once
// What a run ends with: tables of at most kLineWidth columns, failures by class, files, the next
// command; or one JSON document.

#include <string>

#include "harness/cli/terminal.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// Winners per geometry and row count.
std::string winners_text(const Plan& plan, const Campaign& campaign, const Terminal& terminal);

/// Failures by status with a count, the first message and one repro command each; "" when there is
/// none.
std::string failures_text(const Campaign& campaign, const Terminal& terminal);

/// What was compiled, proved and measured, what was found done, and what was compared.
std::string work_text(const Plan& plan, const Campaign& campaign);

/// What was skipped, what could not be compiled for lack of a compiler, and alternatives without a
/// launch.
std::string remarks_text(const Plan& plan, const Campaign& campaign);

Json campaign_json(const Plan& plan, const Campaign& campaign);

/// `text` wrapped at blanks to kLineWidth, continued lines indented by `indent`.
std::string wrapped(const std::string& text, std::size_t indent);

}  // namespace fusetune
