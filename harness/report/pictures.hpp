#pragma once
// The pictures of a report. Each comes alone on a page or in a file.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/report_data.hpp"
#include "harness/report/svg.hpp"

namespace fusetune {

/// How many times as fast as the baseline each row of a family is, with its 95 % interval. Hollow:
/// nothing beat the baseline beyond noise.
Svg winners_picture(const ReportDevice& device, const std::string& family);

/// Time over row count, both logarithmic: the rows with their intervals, the baseline, peers, and
/// what the device's memory and launches allow. Nothing for a geometry with a single row count.
std::optional<Svg> time_picture(const ReportDevice& device, const ReportGeometry& geometry);

/// GB/s over the bytes of a case: a point per row, and above it a tick at what the same mix of
/// reads and writes can reach. Rows of the device's other families are dots behind them. Nothing
/// where no bytes are known.
std::optional<Svg> bandwidth_picture(const ReportDevice& device, const std::string& family);

/// The case that a heat map begins with: the one with most rows that has times or failures, or
/// none.
const ReportCase* leading_case(const ReportGeometry& geometry);

/// The heat map of that case over the two axes that matter most; nothing where there are none.
/// `alone`: it says by itself of what it is, for files.
std::optional<Svg> variants_picture(const ReportGeometry& geometry, bool alone = false);

/// All pictures of a report with their file names, "host-w64-time-split-reshape-cat-nk-2.svg";
/// every name once.
std::vector<std::pair<std::string, Svg>> all_pictures(const Report& report);

/// The families of a device, in order.
std::vector<std::string> families_of(const ReportDevice& device);

/// "(a=1,b=2)" of a geometry's label, without the family: "a=1, b=2"; cut to `width` characters.
std::string short_label(const ReportGeometry& geometry, std::size_t width);

}  // namespace fusetune
