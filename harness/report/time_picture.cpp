#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

constexpr double kTimeWidth = 340, kTimeLeft = 44, kTimeRight = 332, kTimePlot = 190;
constexpr std::size_t kPeersShown = 4, kTitleCharacters = 52;

struct SeriesPoint {
  std::int64_t rows = 0;
  double us = 0, low_us = 0, high_us = 0;  ///< low and high 0 without an interval
};

struct Series {
  std::string name, style;
  Marker marker = Marker::circle;
  bool pointed = true;  ///< has markers
  std::vector<SeriesPoint> points;
};

Series rows_series(const ReportGeometry& geometry) {
  Series series{"chosen", "ours", Marker::circle, true, {}};
  for (const ReportRow& row : geometry.rows)
    series.points.push_back(
        {row.tuned_at, row.certificate.median_us, row.certificate.low_us, row.certificate.high_us});
  return series;
}

Series baseline_series(const ReportGeometry& geometry) {
  Series series{geometry.baseline, "base", Marker::square, true, {}};
  for (const ReportRow& row : geometry.rows)
    if (const double us = row.baseline_us(); us > 0)
      series.points.push_back({row.tuned_at, us, 0, 0});
  return series;
}

Series limit_series(const ReportDevice& device, const ReportGeometry& geometry) {
  Series series{"limit of this device", "limit", Marker::circle, false, {}};
  if (!device.limits) return series;
  for (const ReportRow& row : geometry.rows)
    if (row.read_bytes + row.write_bytes > 0)
      series.points.push_back({row.tuned_at, device.limits->least_us(row), 0, 0});
  return series;
}

/// The fastest first; more than can be told apart are left to the table.
std::vector<Series> peer_series(const ReportGeometry& geometry) {
  constexpr Marker kMarkers[] = {Marker::diamond, Marker::triangle, Marker::cross, Marker::square};
  std::map<std::string, std::vector<SeriesPoint>> peers;
  for (const PeerTime& peer : geometry.peers)
    peers[peer.peer].push_back({peer.rows, peer.us, 0, 0});
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, points] : peers) {
    double logs = 0;
    for (const SeriesPoint& point : points) logs += std::log(point.us);
    order.emplace_back(logs / static_cast<double>(points.size()), name);
  }
  std::sort(order.begin(), order.end());
  std::vector<Series> list;
  for (const auto& [mean, name] : order) {
    if (list.size() == kPeersShown) break;
    list.push_back(
        {name, fmt::format("p{}", list.size() + 1), kMarkers[list.size()], true, peers[name]});
  }
  return list;
}

void draw_series(const Series& series, const LogScale& x, const LogScale& y,
                 const std::string& rows_symbol, Svg& svg) {
  std::string line;
  for (const SeriesPoint& point : series.points)
    line += fmt::format("{:.1f},{:.1f} ", x.at(static_cast<double>(point.rows)), y.at(point.us));
  svg.polyline(line, series.style);
  if (!series.pointed) return;
  for (const SeriesPoint& point : series.points) {
    const double at = x.at(static_cast<double>(point.rows));
    std::string tip =
        fmt::format("{}, {} {}: {} us", series.name, point.rows, rows_symbol, us_text(point.us));
    if (point.low_us > 0) {
      tip += fmt::format(", 95 % interval {} to {}", us_text(point.low_us), us_text(point.high_us));
      svg.line(at, y.at(point.low_us), at, y.at(point.high_us), series.style);
      for (const double end : {y.at(point.low_us), y.at(point.high_us)})
        svg.line(at - 3, end, at + 3, end, series.style);
    }
    svg.marker(series.marker, at, y.at(point.us), series.style, tip);
  }
}

/// Names with their markers, in as many lines as they need. Where the next line would be.
double draw_legend(const std::vector<Series>& all, double top, Svg& svg) {
  constexpr double kCharacterWidth = 6.2;
  double x = 0, y = top;
  for (const Series& series : all) {
    const double width = 18 + kCharacterWidth * static_cast<double>(series.name.size()) + 12;
    if (x > 0 && x + width > kTimeWidth) {
      x = 0;
      y += 16;
    }
    svg.line(x, y - 4, x + 14, y - 4, series.style);
    if (series.pointed) svg.marker(series.marker, x + 7, y - 4, series.style);
    svg.text(x + 19, y, "soft", series.name);
    x += width;
  }
  return y + 16;
}

void draw_axes(const LogScale& x, const LogScale& y, const std::vector<std::int64_t>& counts,
               const std::string& rows_symbol, Svg& svg) {
  for (const double tick : log_ticks({y.low, y.high}, 7)) {
    svg.line(kTimeLeft, y.at(tick), kTimeRight, y.at(tick), "grid");
    svg.text(kTimeLeft - 6, y.at(tick) + 4, "tiny", tick_text(tick), Svg::Anchor::end);
  }
  svg.line(kTimeLeft, y.from, kTimeRight, y.from, "axis");
  double last = -100;
  for (const std::int64_t count : counts) {
    const double at = x.at(static_cast<double>(count));
    svg.line(at, y.from, at, y.from + 4, "axis");
    if (at - last < 26) continue;  // the next would be written over it
    svg.text(at, y.from + 16, "tiny", std::to_string(count), Svg::Anchor::middle);
    last = at;
  }
  svg.text(kTimeRight, y.from + 30, "tiny", rows_symbol, Svg::Anchor::end);
}

}  // namespace

std::optional<Svg> time_picture(const ReportDevice& device, const ReportGeometry& geometry) {
  std::vector<Series> all{rows_series(geometry), baseline_series(geometry)};
  for (Series& peer : peer_series(geometry)) all.push_back(std::move(peer));
  all.push_back(limit_series(device, geometry));
  std::erase_if(all, [](const Series& series) { return series.points.empty(); });
  std::vector<double> times, rows;
  std::vector<std::int64_t> counts;
  for (const Series& series : all)
    for (const SeriesPoint& point : series.points) {
      times.insert(times.end(), {point.us, point.low_us, point.high_us});
      rows.push_back(static_cast<double>(std::max<std::int64_t>(point.rows, 1)));
      counts.push_back(point.rows);
    }
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  if (counts.size() < 2) return std::nullopt;
  Svg measure(0, 0, "");
  const double top = draw_legend(all, 48, measure) + 4;
  const Range x_range = log_range(rows, 1.15, 2), y_range = log_range(times, 1.2, 4);
  const LogScale x{x_range.low, x_range.high, kTimeLeft, kTimeRight};
  const LogScale y{y_range.low, y_range.high, top + kTimePlot, top};
  Svg svg(kTimeWidth, top + kTimePlot + 34,
          fmt::format("{} on {}: microseconds per call over {}", geometry.label, device.name,
                      geometry.rows_symbol));
  svg.text(0, 12, "head", geometry.family);
  svg.text(0, 28, "soft", short_label(geometry, kTitleCharacters));
  draw_legend(all, 48, svg);
  svg.text(kTimeWidth, 12, "tiny", "us per call", Svg::Anchor::end);
  draw_axes(x, y, counts, geometry.rows_symbol, svg);
  for (auto series = all.rbegin(); series != all.rend(); ++series)  // the chosen on top
    draw_series(*series, x, y, geometry.rows_symbol, svg);
  return svg;
}

}  // namespace fusetune
