#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

constexpr double kWinnersWidth = 340, kLabelEnd = 46, kPlotFrom = 58, kPlotTo = 286;
constexpr double kRowHeight = 20, kGroupHeight = 24;
constexpr std::size_t kLabelCharacters = 52;

std::string row_tip(const ReportRow& row, const ReportGeometry& geometry) {
  const Certificate& c = row.certificate;
  return fmt::format("{} {}: {} of {}, 95 % interval {:.2f} to {:.2f}; {} us\n{}", row.tuned_at,
                     geometry.rows_symbol, times_text(c.versus_baseline), geometry.baseline,
                     c.versus_low, c.versus_high, us_text(c.median_us), row.variant);
}

LogScale versus_scale(const ReportDevice& device, const std::string& family) {
  std::vector<double> values{1};
  for (const ReportGeometry& geometry : device.geometries)
    for (const ReportRow& row : geometry.rows)
      if (geometry.family == family)
        values.insert(values.end(), {row.certificate.versus_baseline, row.certificate.versus_low,
                                     row.certificate.versus_high});
  const Range range = log_range(values, 1.06, 1.6);
  return {range.low, range.high, kPlotFrom, kPlotTo};
}

/// 1 and round ratios about it that leave room for their texts.
std::vector<double> versus_ticks(const LogScale& scale) {
  constexpr double kRoom = 32;
  std::vector<double> ticks{1};
  for (const double tick : {2.0, 0.5, 1.5, 5.0, 10.0, 3.0, 0.2, 20.0, 50.0, 1.2, 0.8, 100.0}) {
    const bool crowded = std::any_of(ticks.begin(), ticks.end(), [&](double other) {
      return std::abs(scale.at(tick) - scale.at(other)) < kRoom;
    });
    if (!crowded && tick > scale.low && tick < scale.high) ticks.push_back(tick);
  }
  return ticks;
}

void draw_row(const ReportRow& row, const ReportGeometry& geometry, double y, const LogScale& scale,
              Svg& svg) {
  const Certificate& c = row.certificate;
  svg.text(kLabelEnd, y + 4, "", std::to_string(row.tuned_at), Svg::Anchor::end);
  const std::string tip = row_tip(row, geometry);
  if (!(c.versus_baseline > 0)) {
    svg.text(kPlotFrom, y + 4, "soft", fmt::format("no time of {}", geometry.baseline));
    return;
  }
  svg.line(scale.at(c.versus_low), y, scale.at(c.versus_high), y, "ours");
  svg.marker(Marker::circle, scale.at(c.versus_baseline), y, row.is_default ? "ours-open" : "ours",
             tip);
  svg.text(kWinnersWidth - 2, y + 4, row.is_default ? "soft" : "",
           row.is_default ? "default" : times_text(c.versus_baseline), Svg::Anchor::end);
}

}  // namespace

Svg winners_picture(const ReportDevice& device, const std::string& family) {
  std::vector<const ReportGeometry*> geometries;
  double height = 20;
  for (const ReportGeometry& geometry : device.geometries)
    if (geometry.family == family && !geometry.rows.empty()) {
      geometries.push_back(&geometry);
      height += kGroupHeight + kRowHeight * static_cast<double>(geometry.rows.size());
    }
  const LogScale scale = versus_scale(device, family);
  Svg svg(kWinnersWidth, height + 18,
          fmt::format("{} on {}: speed over the baseline per row", family, device.name));
  svg.text(0, 12, "head", family);
  const std::vector<double> ticks = versus_ticks(scale);
  for (const double tick : ticks)
    svg.text(scale.at(tick), height + 14, "tiny", tick_text(tick) + "\xC3\x97",
             Svg::Anchor::middle);
  double y = 20;
  for (const ReportGeometry* geometry : geometries) {
    y += kGroupHeight;
    svg.text(0, y - 5, "soft", short_label(*geometry, kLabelCharacters));
    const double end = y + kRowHeight * static_cast<double>(geometry->rows.size());
    for (const double tick : ticks)
      svg.line(scale.at(tick), y, scale.at(tick), end, tick == 1 ? "one" : "grid");
    for (const ReportRow& row : geometry->rows) {
      draw_row(row, *geometry, y + kRowHeight / 2, scale, svg);
      y += kRowHeight;
    }
  }
  return svg;
}

}  // namespace fusetune
