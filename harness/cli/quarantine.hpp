#pragma once
// Code that hung, faulted or took its worker down, with all that shows it again: one folder per
// code object below <store>/quarantine.

#include <filesystem>
#include <vector>

#include "harness/cli/options.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

/// Writes the folders of what this campaign found, those that are missing; returns all of them.
/// What was found while it was proved is not run again, in no later run, unless it is asked to be
/// retried; proved then, it is free again and its folder goes. A baseline, and what was found while
/// it was timed, is kept from running again by its record alone, since others were proved and timed
/// beside it.
std::vector<std::filesystem::path> quarantine_failures(const Plan& plan, const Campaign& campaign,
                                                       const GlobalOptions& global);

}  // namespace fusetune
