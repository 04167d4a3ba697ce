#include <fmt/format.h>

#include <algorithm>

#include "harness/report/heat_map.hpp"

namespace fusetune {

namespace {

/// Steps of the colours: up to 1, 5, 15, 40 and 100 % slower, and more.
int colour_of(double over_best) {
  constexpr double kSteps[] = {1.01, 1.05, 1.15, 1.4, 2};
  int colour = 0;
  for (const double step : kSteps) colour += over_best > step ? 1 : 0;
  return colour;
}

std::string tip_of(const HeatCell& cell) {
  std::string tip;
  if (cell.kind == HeatCell::Kind::timed)
    tip = fmt::format("{:.4g} us, {:.3f} of the fastest, {} ({} timed)\n{}", cell.us,
                      cell.over_best, to_string(cell.standing), cell.timed, cell.best);
  else if (cell.kind == HeatCell::Kind::unraced)
    tip = fmt::format("proved and not raced: its code equals another's, or its bits differ\n{}",
                      cell.best);
  else if (cell.kind == HeatCell::Kind::untried)
    tip = "no variant with these values was tried";
  if (cell.failed > 0)
    tip += fmt::format("{}{} failed, the first in {}: {}: {}", tip.empty() ? "" : "\n", cell.failed,
                       cell.fate.step, to_string(cell.fate.status), cell.fate.message);
  return tip;
}

constexpr double kCellWidth = 58, kCellHeight = 30, kHead = 42, kFoot = 20, kCaption = 46,
                 kCharacter = 6.6;

void draw_cell(const HeatCell& cell, double x, double y, Svg& svg) {
  const double width = kCellWidth - 2, height = kCellHeight - 2;
  const double middle = x + width / 2, line = y + height / 2 + 4;
  const std::string tip = tip_of(cell);
  switch (cell.kind) {
    case HeatCell::Kind::timed: {
      const int colour = colour_of(cell.over_best);
      svg.rect(x, y, width, height, fmt::format("h{}", colour), tip);
      svg.text(middle, line, fmt::format("t{}", colour), fmt::format("{:.2f}", cell.over_best),
               Svg::Anchor::middle);
      if (cell.failed > 0) svg.marker(Marker::triangle, x + width - 6, y + 6, "some-failed", tip);
      break;
    }
    case HeatCell::Kind::failed:
      svg.rect(x, y, width, height, "failed", tip);
      svg.text(middle, line, "failed-text", failure_word(cell.fate.status), Svg::Anchor::middle);
      break;
    case HeatCell::Kind::unraced:
      svg.rect(x, y, width, height, "unraced", tip);
      svg.text(middle, line, "tiny", "=", Svg::Anchor::middle);
      break;
    case HeatCell::Kind::untried:
      svg.rect(x, y, width, height, "untried", tip);
      break;
  }
}

}  // namespace

Svg heat_map_picture(const HeatMap& map, const std::string& title, const HeatCaption& caption) {
  const double above = caption.head.empty() ? 0 : kCaption;
  const double grid = above + kHead;
  std::size_t widest = map.y_axis.size();
  for (const std::string& value : map.y_values) widest = std::max(widest, value.size());
  const double left = kCharacter * static_cast<double>(widest) + 10;
  const double columns = static_cast<double>(map.x_values.size());
  const double width = std::max({left + kCellWidth * columns,
                                 left + kCharacter * static_cast<double>(map.x_axis.size()) + 8,
                                 kCharacter * static_cast<double>(map.baseline.size()),
                                 kCharacter * static_cast<double>(caption.line.size())});
  const double height = grid + kCellHeight * static_cast<double>(map.y_values.size()) + kFoot;
  Svg svg(width, height, title);
  if (above > 0) {
    svg.text(0, 12, "head", caption.head);
    svg.text(0, 28, "soft", caption.line);
  }
  if (!map.baseline.empty()) svg.text(0, height - 5, "soft", map.baseline);
  svg.text(left, above + 12, "head", map.x_axis);
  svg.text(left - 8, grid - 8, "head", map.y_axis, Svg::Anchor::end);
  for (std::size_t x = 0; x < map.x_values.size(); ++x)
    svg.text(left + kCellWidth * (static_cast<double>(x) + 0.5) - 1, grid - 8, "soft",
             map.x_values[x], Svg::Anchor::middle);
  for (std::size_t y = 0; y < map.y_values.size(); ++y) {
    const double top = grid + kCellHeight * static_cast<double>(y);
    svg.text(left - 8, top + kCellHeight / 2 + 3, "soft", map.y_values[y], Svg::Anchor::end);
    for (std::size_t x = 0; x < map.x_values.size(); ++x)
      draw_cell(map.cell(x, y), left + kCellWidth * static_cast<double>(x), top, svg);
  }
  return svg;
}

}  // namespace fusetune
