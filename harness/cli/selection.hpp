#pragma once
// Turns --model, --tp, --option and keys into the sweep that a file would have said.

#include <string>

#include "harness/cli/options.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

/// A sweep over one family. Throws UserError with nearest names.
Sweep sweep_of_selection(const std::string& family, const SelectionOptions& selection,
                         const std::string& device);

/// A plan of one case, over the selection's space or its one variant.
Plan plan_of_case(const Case& which, const SelectionOptions& selection, const std::string& device);

/// Keeps the one variant of a key in every geometry of a plan. Throws UserError when no geometry
/// has it.
void keep_variant(Plan& plan, const std::string& variant_key);

}  // namespace fusetune
