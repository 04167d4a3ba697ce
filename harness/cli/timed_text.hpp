#pragma once
// What the self-test of the path that is timed found, for people.

#include <string>

#include "harness/cli/options.hpp"
#include "harness/selftest/timed_selftest.hpp"

namespace fusetune {

/// The cases, by default or as asked for. Throws UserError where the device times nothing in a
/// queue.
TimedChoice timed_choice(const SelftestOptions& options, const std::string& device);

void print_timed(const GlobalOptions& global, const TimedSummary& summary);

}  // namespace fusetune
