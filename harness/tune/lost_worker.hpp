#pragma once
// What it says of code that the device worker which ran it died, or was killed for being late.

#include "harness/base/status.hpp"
#include "harness/process/worker_pool.hpp"

namespace fusetune {

/// Of a job with a second try that was not answered.
Outcome outcome_of_lost(const JobEnd& end);

}  // namespace fusetune
