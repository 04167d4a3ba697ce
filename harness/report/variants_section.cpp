#include <fmt/format.h>

#include <cmath>

#include "harness/report/escape.hpp"
#include "harness/report/heat_map.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"
#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;

/// Geometries up to which all heat maps are open from the start.
constexpr std::size_t kOpenGeometries = 12;

std::string interval_of(const TimedVariant& timed) {
  if (!std::isfinite(timed.low_us)) return "none";
  return fmt::format("{} to {}", us_text(timed.low_us), us_text(timed.high_us));
}

std::string times_table(const ReportGeometry& geometry, const ReportCase& shown) {
  HtmlTable table("Variants of " + shown.label, {{"us per call", Kind::number},
                                                 {"95 % interval", Kind::number},
                                                 {"over fastest", Kind::number},
                                                 {"standing", Kind::text},
                                                 {"variant", Kind::key}});
  for (const TimedVariant& timed : shown.timed)
    table.add({us_text(timed.us), interval_of(timed), times_text(timed.over_best),
               std::string(to_string(timed.standing)), key_html(timed.key)},
              timed.standing == TimedVariant::Standing::chosen ? "chosen" : "");
  const auto add_fates = [&table](const Fates& fates) {
    for (const auto& [key, fate] : fates)
      table.add({"", "", "", std::string(to_string(fate.status)), key_html(key)}, "bad");
  };
  add_fates(shown.fates);
  add_fates(geometry.fates);
  return table.html();
}

std::string case_notes(const ReportCase& shown) {
  std::string text =
      shown.outcome.ok()
          ? fmt::format("{}, stopped by: {}", shown.data, shown.stopped_by)
          : fmt::format("{}: {}", to_string(shown.outcome.status), shown.outcome.message);
  for (const std::string& flag : shown.flags) text += "; " + flag;
  return text;
}

std::string heat_map_html(const ReportGeometry& geometry) {
  const std::optional<Svg> svg = variants_picture(geometry);
  if (!svg) return "";
  const ReportCase* leading = leading_case(geometry);
  const auto [y_axis, x_axis] = leading_axes(geometry, *leading);
  return fmt::format(
      "<figure class=\"heat\" data-case=\"{}\" data-x=\"{}\" data-y=\"{}\">"
      "<div class=\"controls\" hidden></div>\n<div class=\"scroll map\" tabindex=\"0\" "
      "role=\"region\" aria-label=\"{}\">{}</div>\n"
      "<script type=\"application/json\">{}</script></figure>\n",
      leading - geometry.cases.data(), escaped(x_axis), escaped(y_axis), escaped(svg->title()),
      svg->element(), script_json(heat_map_json(geometry)));
}

std::string geometry_html(const ReportGeometry& geometry) {
  std::string html = fmt::format("<p class=\"geometry\">{}</p>\n", key_html(geometry.label));
  const std::string map = heat_map_html(geometry);
  html += map.empty() ? note_html("No two axes have several values that were tried: see the times.")
                      : map;
  std::string tables;
  for (const ReportCase& shown : geometry.cases)
    tables += times_table(geometry, shown) + note_html(case_notes(shown));
  return "<div class=\"card\">" + html + details_html("All times", tables) + "</div>\n";
}

}  // namespace

std::string variants_section(const ReportDevice& device, const std::string& id) {
  std::string cards;
  std::size_t without = 0, count = 0;
  for (const ReportGeometry& geometry : device.geometries) {
    if (geometry.cases.empty()) {
      ++without;
      continue;
    }
    ++count;
    cards += geometry_html(geometry);
  }
  std::string html = fmt::format("<section id=\"{}-variants\"><h3>Variants</h3>\n", id);
  html += note_html(
      "Time over the fastest variant of the case: each cell is the best of the variants with its "
      "two values; point at one for its key. A corner mark: some of them failed.");
  html +=
      "<ul class=\"keys\"><li><span class=\"swatch s0\"></span>up to 1 % slower</li>"
      "<li><span class=\"swatch s1\"></span>5 %</li><li><span class=\"swatch s2\"></span>15 %</li>"
      "<li><span class=\"swatch s3\"></span>40 %</li><li><span class=\"swatch s4\"></span>100 "
      "%</li>"
      "<li><span class=\"swatch s5\"></span>more</li>"
      "<li><span class=\"swatch sf\"></span>failed: compile, wrong, crash, hang, refused</li>"
      "<li><span class=\"swatch sn\">=</span>proved, not raced</li>"
      "<li><span class=\"swatch su\"></span>untried</li></ul>\n";
  if (count == 0) html += note_html("The store holds no race on this device.");
  const std::string grid = "<div class=\"cards\">" + cards + "</div>\n";
  if (count > kOpenGeometries)
    html += details_html(fmt::format("{} geometries", count), grid);
  else
    html += grid;
  if (count > 0 && without > 0)
    html +=
        note_html(fmt::format("{} geometries of the tables have no race in this store.", without));
  return html + "</section>\n";
}

}  // namespace fusetune
