#pragma once
// Turns --model, --tp, --option and keys into the sweep that a file would have said.

#include <string>
#include <vector>

#include "harness/cli/options.hpp"
#include "harness/spec/plan.hpp"

namespace fusetune {

/// What --device says, or both wave sizes: a bug may show on one alone. Throws UserError for an
/// unknown device before anything runs.
std::vector<std::string> devices_or_both(const std::vector<std::string>& devices);

/// Instead of the sweep's own and those of its entries; "" changes nothing. Throws UserError.
void set_space(Sweep& sweep, const std::string& space);

/// A sweep and a key say their shapes themselves: options that would change them are not passed
/// over. Throws UserError, which names `what` says them.
void require_no_shapes(const SelectionOptions& selection, const std::string& what);

/// A sweep over one family. Throws UserError with nearest names.
Sweep sweep_of_selection(const std::string& family, const SelectionOptions& selection,
                         const std::string& device);

/// A plan of one case, over the selection's space or its one variant.
Plan plan_of_case(const Case& which, const SelectionOptions& selection, const std::string& device);

/// Keeps the one variant of a key in every geometry of a plan that allows it; the others are listed
/// in Plan::skipped. Throws UserError, naming the rule that refuses it, when no geometry does.
void keep_variant(Plan& plan, const std::string& variant_key);

}  // namespace fusetune
