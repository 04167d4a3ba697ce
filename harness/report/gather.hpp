#pragma once
// From records and tables to what a report says. Pure: equal sources give equal reports.

#include "harness/report/report_data.hpp"
#include "harness/report/source.hpp"

namespace fusetune {

/// Everything of the source; records that name a family, variant or symbol that is not known here
/// are left out, and that is said. Of several races of one case the newest counts.
Report gather_report(const ReportSource& source);

/// Keeps one device, with the failures and facts of its target and of targets that no device here
/// has. Throws UserError with the nearest name for a device that is not there.
void keep_device(const std::string& device, Report& report);

}  // namespace fusetune
