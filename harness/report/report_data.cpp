#include "harness/report/report_data.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "harness/measure/roofline.hpp"

namespace fusetune {

namespace {

/// One mix at a size that need not be measured; the nearest one beyond the ends.
Bandwidth at_bytes(std::vector<Bandwidth> sizes, std::int64_t bytes) {
  std::sort(sizes.begin(), sizes.end(),
            [](const Bandwidth& a, const Bandwidth& b) { return a.bytes < b.bytes; });
  const auto above = std::find_if(sizes.begin(), sizes.end(),
                                  [bytes](const Bandwidth& one) { return one.bytes >= bytes; });
  if (above == sizes.end()) return sizes.back();
  if (above == sizes.begin() || above->bytes == bytes) return *above;
  const Bandwidth& below = *std::prev(above);
  const auto size = [](std::int64_t of) { return std::log(static_cast<double>(of)); };
  const double part = (size(bytes) - size(below.bytes)) / (size(above->bytes) - size(below.bytes));
  Bandwidth between = below;
  between.bytes = bytes;
  between.gb_s += part * (above->gb_s - below.gb_s);
  return between;
}

}  // namespace

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

double DeviceLimits::gb_s(double read_share, std::int64_t bytes) const {
  std::map<std::string, std::vector<Bandwidth>> mixes;
  for (const Bandwidth& one : calibration.bandwidth) mixes[one.mix].push_back(one);
  std::vector<Bandwidth> at_size;
  for (auto& [mix, sizes] : mixes) at_size.push_back(at_bytes(std::move(sizes), bytes));
  return memory_gb_s(at_size, read_share);
}

double DeviceLimits::least_us(const ReportRow& row) const {
  double least = 0;
  for (const LaunchFloor& floor : calibration.floors)
    least = least == 0 ? floor.us : std::min(least, floor.us);
  const double rate = gb_s(row.read_share(), row.read_bytes + row.write_bytes);
  if (rate > 0)
    least = std::max(least, static_cast<double>(row.read_bytes + row.write_bytes) / rate / 1000);
  return least;
}

}  // namespace fusetune
