#pragma once
// This campaign's rows against another's.

#include <string>

#include "harness/report/report_data.hpp"

namespace fusetune {

/// Adds to each device of `report` what differs from the device of the same name in `other`, which
/// was read from `against`. A device that `other` does not have gets no changes; the sentence that
/// says so goes to `report.left_out`. Times of two sessions are shown beside each other, never
/// judged: only a gate, which runs both again, can do that.
void compare_reports(const Report& other, const std::string& against, Report& report);

}  // namespace fusetune
