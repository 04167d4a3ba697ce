#pragma once
// A report as one HTML file that needs nothing else: no network, no fonts, no other file.

#include <string>

#include "harness/report/report_data.hpp"

namespace fusetune {

/// Equal reports give equal bytes.
std::string report_page(const Report& report);

/// The page's parts, in its order. `id` is a prefix of all ids of a device's sections.
std::string winners_section(const ReportDevice& device, const std::string& id);
std::string variants_section(const ReportDevice& device, const std::string& id);
std::string time_section(const ReportDevice& device, const std::string& id);
std::string bandwidth_section(const ReportDevice& device, const std::string& id);
std::string changes_section(const ReportDevice& device, const std::string& id);
std::string failures_section(const Report& report);
std::string facts_section(const Report& report);

/// What the style and script elements hold.
std::string page_style();
std::string page_script();

}  // namespace fusetune
