#include "harness/report/svg.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/report/escape.hpp"

namespace fusetune {

namespace {

// Blue and orange differ for every kind of colour vision, and in lightness as well; peers differ
// by shape too. Every text has a contrast of at least 4.5 to what is behind it.
constexpr const char* kLight =
    "--paper:#ffffff;--raised:#f6f8fa;--ink:#1b1f24;--soft:#57606a;--rule:#d8dee4;--grid:#e7ebef;"
    "--ours:#0b5cad;--base:#b3540a;--limit:#6a737d;--bad:#a40e26;--badpaper:#fdecee;"
    "--p1:#00735c;--p2:#8a3c86;--p3:#7a6300;--p4:#3b4a8f;"
    "--h0:#0b4f94;--h1:#2f74b8;--h2:#8bb7de;--h3:#bcd6ec;--h4:#dde9f4;--h5:#f1f5f9;"
    "--t0:#ffffff;--t1:#ffffff;--t2:#10253a;--t3:#10253a;--t4:#10253a;--t5:#3d4a57;";
constexpr const char* kDark =
    "--paper:#0f141a;--raised:#171d25;--ink:#e6edf3;--soft:#9da7b3;--rule:#303944;--grid:#222a33;"
    "--ours:#6cb6ff;--base:#f2a65a;--limit:#8b96a3;--bad:#ff8f9b;--badpaper:#3a171d;"
    "--p1:#4fd1b0;--p2:#d99bd5;--p3:#d9bd4a;--p4:#a3b1f0;"
    "--h0:#7cc0ff;--h1:#4d94d6;--h2:#2b659c;--h3:#1f4a73;--h4:#1a3550;--h5:#17232f;"
    "--t0:#0a1a2a;--t1:#0a1520;--t2:#f0f6fc;--t3:#e6edf3;--t4:#c9d6e2;--t5:#a9b6c3;";

constexpr const char* kShapes = R"css(
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .soft{fill:var(--soft)}
svg .head{font-weight:600}
svg .tiny{font-size:10px;fill:var(--soft)}
svg .paper{fill:var(--paper)}
svg .grid{stroke:var(--grid);stroke-width:1}
svg .axis{stroke:var(--rule);stroke-width:1}
svg .one{stroke:var(--soft);stroke-width:1}
svg .ours{stroke:var(--ours);fill:var(--ours);stroke-width:1.75}
svg .ours-open{stroke:var(--ours);fill:var(--paper);stroke-width:1.75}
svg .base{stroke:var(--base);fill:var(--base);stroke-width:1.5}
svg .limit{stroke:var(--limit);fill:var(--limit);stroke-width:1.5;stroke-dasharray:4 3}
svg .limit-tick{stroke:var(--limit);stroke-width:2}
svg .reach{stroke:var(--rule);stroke-width:1}
svg .p1{stroke:var(--p1);fill:var(--p1)}svg .p2{stroke:var(--p2);fill:var(--p2)}
svg .p3{stroke:var(--p3);fill:var(--p3)}svg .p4{stroke:var(--p4);fill:var(--p4)}
svg .h0{fill:var(--h0)}svg .h1{fill:var(--h1)}svg .h2{fill:var(--h2)}svg .h3{fill:var(--h3)}
svg .h4{fill:var(--h4)}svg .h5{fill:var(--h5)}
svg text.t0{fill:var(--t0);font-weight:600}svg text.t1{fill:var(--t1)}svg text.t2{fill:var(--t2)}
svg text.t3{fill:var(--t3)}svg text.t4{fill:var(--t4)}svg text.t5{fill:var(--t5)}
svg .failed{fill:var(--badpaper);stroke:var(--bad);stroke-width:1}
svg text.failed-text{fill:var(--bad);font-size:10px}
svg .unraced{fill:var(--paper);stroke:var(--rule);stroke-width:1}
svg .untried{fill:none;stroke:var(--rule);stroke-width:1;stroke-dasharray:2 3}
svg polyline[points]{fill:none}
svg .other{fill:var(--rule);stroke:none}
svg .some-failed{fill:var(--bad);stroke:var(--paper);stroke-width:1}
)css";

std::string anchor_text(Svg::Anchor anchor) {
  if (anchor == Svg::Anchor::middle) return " text-anchor=\"middle\"";
  return anchor == Svg::Anchor::end ? " text-anchor=\"end\"" : "";
}

/// The outline of a marker around a point, 4 pixels to either side.
std::string marker_points(Marker shape, double x, double y) {
  const auto at = [x, y](double dx, double dy) {
    return fmt::format("{:.1f},{:.1f} ", x + dx, y + dy);
  };
  if (shape == Marker::square) return at(-3.2, -3.2) + at(3.2, -3.2) + at(3.2, 3.2) + at(-3.2, 3.2);
  if (shape == Marker::diamond) return at(0, -4.4) + at(4.4, 0) + at(0, 4.4) + at(-4.4, 0);
  if (shape == Marker::triangle) return at(0, -4.2) + at(4.2, 3.2) + at(-4.2, 3.2);
  // A cross, as an outline that can be filled.
  return at(-4, -1) + at(-1, -1) + at(-1, -4) + at(1, -4) + at(1, -1) + at(4, -1) + at(4, 1) +
         at(1, 1) + at(1, 4) + at(-1, 4) + at(-1, 1) + at(-4, 1);
}

}  // namespace

Svg::Svg(double width, double height, std::string title)
    : width_(width), height_(height), title_(std::move(title)) {}

void Svg::shape(const std::string& tag, std::string_view style, std::string_view tip) {
  body_ += fmt::format("<{} class=\"{}\"", tag, style);
  if (tip.empty()) {
    body_ += "/>\n";
    return;
  }
  const std::string name = tag.substr(0, tag.find(' '));
  body_ += fmt::format("><title>{}</title></{}>\n", escaped(tip), name);
}

void Svg::line(double x1, double y1, double x2, double y2, std::string_view style) {
  shape(fmt::format("line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"", x1, y1, x2, y2),
        style, "");
}

void Svg::rect(double x, double y, double width, double height, std::string_view style,
               std::string_view tip) {
  shape(fmt::format("rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\"", x,
                    y, width, height),
        style, tip);
}

void Svg::marker(Marker shape_of, double x, double y, std::string_view style,
                 std::string_view tip) {
  if (shape_of == Marker::circle)
    shape(fmt::format("circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.6\"", x, y), style, tip);
  else
    shape(fmt::format("polygon points=\"{}\"", marker_points(shape_of, x, y)), style, tip);
}

void Svg::polyline(std::string_view points, std::string_view style) {
  shape(fmt::format("polyline points=\"{}\"", points), style, "");
}

void Svg::text(double x, double y, std::string_view style, std::string_view text, Anchor anchor) {
  body_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\"{}>{}</text>\n", x, y, style,
                       anchor_text(anchor), escaped(text));
}

std::string Svg::element() const {
  return fmt::format(
      "<svg viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" role=\"img\" "
      "aria-label=\"{2}\">\n{3}</svg>\n",
      width_, height_, escaped(title_), body_);
}

std::string Svg::file() const {
  constexpr double kMargin = 12;
  const double width = width_ + 2 * kMargin, height = height_ + 2 * kMargin;
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" role=\"img\">\n<title>{2}</title>\n<style>{3}</style>\n"
      "<rect class=\"paper\" width=\"{0:.0f}\" height=\"{1:.0f}\" rx=\"6\"/>\n"
      "<g transform=\"translate({4:.0f},{4:.0f})\">\n{5}</g>\n</svg>\n",
      width, height, escaped(title_), picture_style("svg"), kMargin, body_);
}

std::string picture_style(std::string_view root) {
  return fmt::format("{0}{{{1}}}\n@media (prefers-color-scheme:dark){{{0}{{{2}}}}}{3}", root,
                     kLight, kDark, kShapes);
}

}  // namespace fusetune
