#include "harness/report/report_data.hpp"

#include <algorithm>

#include "harness/measure/roofline.hpp"

namespace fusetune {

std::string_view to_string(TimedVariant::Standing standing) {
  switch (standing) {
    case TimedVariant::Standing::chosen:
      return "chosen";
    case TimedVariant::Standing::tied:
      return "tied";
    case TimedVariant::Standing::slower:
      return "slower";
    case TimedVariant::Standing::dropped:
      return "dropped";
    case TimedVariant::Standing::searched:
      return "searched";
  }
  return "slower";
}

double ReportRow::gb_s() const {
  const double us = certificate.median_us;
  return us > 0 ? static_cast<double>(read_bytes + write_bytes) / us / 1000 : 0;
}

double ReportRow::read_share() const {
  const std::int64_t bytes = read_bytes + write_bytes;
  return bytes > 0 ? static_cast<double>(read_bytes) / static_cast<double>(bytes) : 0;
}

double DeviceLimits::gb_s(double read_share) const {
  return memory_gb_s(calibration.bandwidth, read_share);
}

double DeviceLimits::least_us(const ReportRow& row) const {
  double least = 0;
  for (const LaunchFloor& floor : calibration.floors)
    least = least == 0 ? floor.us : std::min(least, floor.us);
  const double rate = gb_s(row.read_share());
  if (rate > 0)
    least = std::max(least, static_cast<double>(row.read_bytes + row.write_bytes) / rate / 1000);
  return least;
}

}  // namespace fusetune
