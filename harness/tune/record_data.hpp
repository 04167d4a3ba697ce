#pragma once
// What a record of each kind holds in its data, for records that another program may have written.

#include "harness/store/records.hpp"

namespace fusetune {

/// Throws a std::exception with words when a step's data is not what a run, or a person who asks
/// why, would use of it: forms, and numbers that something is counted or found with.
void check_record_data(const StepRecord& step);

}  // namespace fusetune
