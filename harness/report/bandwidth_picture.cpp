#include <fmt/format.h>

#include <algorithm>

#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

constexpr double kBandWidth = 340, kBandLeft = 44, kBandRight = 332, kBandTop = 46, kBandPlot = 180;

struct RooflinePoint {
  const ReportGeometry* geometry = nullptr;
  const ReportRow* row = nullptr;
  double bytes = 0, gb_s = 0;
  double reach_gb_s = 0;  ///< its bytes over the least time; 0 unknown
};

/// Of all families: one pair of axes serves them.
std::vector<RooflinePoint> roofline_points(const ReportDevice& device) {
  std::vector<RooflinePoint> points;
  for (const ReportGeometry& geometry : device.geometries) {
    for (const ReportRow& row : geometry.rows) {
      const auto bytes = static_cast<double>(row.read_bytes + row.write_bytes);
      if (bytes <= 0 || row.gb_s() <= 0) continue;
      const double least_us = device.limits ? device.limits->least_us(row) : 0;
      points.push_back(
          {&geometry, &row, bytes, row.gb_s(), least_us > 0 ? bytes / least_us / 1000 : 0});
    }
  }
  return points;
}

std::string point_tip(const RooflinePoint& point) {
  std::string tip = fmt::format("{}, {} {}: {:.3g} GB/s ({}, {:.0f} % of it reads, {})",
                                short_label(*point.geometry, 60), point.row->tuned_at,
                                point.geometry->rows_symbol, point.gb_s, bytes_text(point.bytes),
                                100 * point.row->read_share(), point.row->provenance.data);
  if (point.reach_gb_s > 0)
    tip += fmt::format("; {:.0f} % of the {:.3g} that this device reaches",
                       100 * point.gb_s / point.reach_gb_s, point.reach_gb_s);
  return tip;
}

}  // namespace

std::optional<Svg> bandwidth_picture(const ReportDevice& device, const std::string& family) {
  const std::vector<RooflinePoint> points = roofline_points(device);
  const auto is_its = [&family](const RooflinePoint& point) {
    return point.geometry->family == family;
  };
  if (std::none_of(points.begin(), points.end(), is_its)) return std::nullopt;
  std::vector<double> sizes, rates;
  for (const RooflinePoint& point : points) {
    sizes.push_back(point.bytes);
    rates.insert(rates.end(), {point.gb_s, point.reach_gb_s});
  }
  const Range x_range = log_range(sizes, 1.3, 16), y_range = log_range(rates, 1.25, 8);
  const LogScale x{x_range.low, x_range.high, kBandLeft, kBandRight};
  const LogScale y{y_range.low, y_range.high, kBandTop + kBandPlot, kBandTop};
  Svg svg(kBandWidth, kBandTop + kBandPlot + 34,
          fmt::format("{} on {}: GB/s over the bytes of a case", family, device.name));
  svg.text(0, 12, "head", family);
  svg.text(kBandWidth, 12, "tiny", "GB/s", Svg::Anchor::end);
  svg.marker(Marker::circle, 4, 26, "ours");
  svg.text(14, 30, "soft", "chosen");
  if (device.limits) {
    svg.line(66, 26, 80, 26, "limit-tick");
    svg.text(86, 30, "soft", "limit of the same mix, or of a launch");
  }
  for (const double tick : log_ticks(y_range, 7)) {
    svg.line(kBandLeft, y.at(tick), kBandRight, y.at(tick), "grid");
    svg.text(kBandLeft - 6, y.at(tick) + 4, "tiny", tick_text(tick), Svg::Anchor::end);
  }
  svg.line(kBandLeft, y.from, kBandRight, y.from, "axis");
  double tick = 1;
  double last = -100;
  for (int power = 0; power < 48; ++power, tick *= 2) {
    if (tick < x_range.low || x.at(tick) > kBandRight - 20 || x.at(tick) - last < 56) continue;
    last = x.at(tick);
    svg.line(last, y.from, last, y.from + 4, "axis");
    svg.text(last, y.from + 16, "tiny", bytes_text(tick), Svg::Anchor::middle);
  }
  svg.text(kBandRight, y.from + 30, "tiny", "bytes of a call", Svg::Anchor::end);
  for (const RooflinePoint& point : points)
    if (!is_its(point)) svg.marker(Marker::circle, x.at(point.bytes), y.at(point.gb_s), "other");
  for (const RooflinePoint& point : points) {
    const double at = x.at(point.bytes);
    if (is_its(point) && point.reach_gb_s > 0) {
      svg.line(at, y.at(point.gb_s), at, y.at(point.reach_gb_s), "reach");
      svg.line(at - 6, y.at(point.reach_gb_s), at + 6, y.at(point.reach_gb_s), "limit-tick");
    }
  }
  for (const RooflinePoint& point : points)
    if (is_its(point))
      svg.marker(Marker::circle, x.at(point.bytes), y.at(point.gb_s),
                 point.row->is_default ? "ours-open" : "ours", point_tip(point));
  return svg;
}

}  // namespace fusetune
