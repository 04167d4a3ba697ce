#include <fmt/format.h>

#include <map>
#include <set>

#include "harness/report/escape.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"
#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;

std::string peers_table(const ReportGeometry& geometry) {
  std::set<std::string> names;
  std::map<std::int64_t, std::map<std::string, double>> times;  // rows, peer
  for (const PeerTime& peer : geometry.peers) {
    names.insert(peer.peer);
    times[peer.rows][peer.peer] = peer.us;
  }
  std::vector<HtmlTable::Column> columns{{geometry.rows_symbol, Kind::number},
                                         {"chosen", Kind::number}};
  for (const std::string& name : names) columns.push_back({name, Kind::number});
  HtmlTable table("Microseconds of peers of " + geometry.label, std::move(columns));
  for (const auto& [rows, by_peer] : times) {
    std::vector<std::string> cells{std::to_string(rows), ""};
    for (const ReportRow& row : geometry.rows)
      if (row.tuned_at == rows)
        cells[1] = fmt::format("<b>{}</b>", us_text(row.certificate.median_us));
    for (const std::string& name : names) {
      const auto at = by_peer.find(name);
      cells.push_back(at == by_peer.end() ? "" : us_text(at->second));
    }
    table.add(std::move(cells));
  }
  return table.html();
}

}  // namespace

std::string time_section(const ReportDevice& device, const std::string& id) {
  std::string pictures, tables;
  std::size_t single = 0;
  for (const ReportGeometry& geometry : device.geometries) {
    if (const std::optional<Svg> svg = time_picture(device, geometry))
      pictures += figure_html(*svg);
    else
      ++single;
    if (!geometry.peers.empty()) tables += peers_table(geometry);
  }
  std::string html = fmt::format("<section id=\"{}-time\"><h3>Time</h3>\n", id);
  html += note_html(
      device.limits ? "Both axes are logarithmic; bars are 95 % intervals. The dashed line is what "
                      "this device's memory does with the same mix of reads and writes and as many "
                      "bytes, or an "
                      "empty launch, whichever is longer, as fusetune doctor measured it."
                    : "Both axes are logarithmic; bars are 95 % intervals. Run fusetune doctor "
                      "with the same --store for the limits of this device.");
  if (!pictures.empty()) html += "<div class=\"pictures\">" + pictures + "</div>\n";
  if (single > 0)
    html +=
        note_html(fmt::format("{} geometries have a single row count: their times are with the "
                              "winners.",
                              single));
  if (!tables.empty())
    html += note_html(
                "Peers were timed by themselves, not beside these kernels: differences of a "
                "few percent say nothing.") +
            details_html("All times of peers", tables);
  return html + "</section>\n";
}

std::string bandwidth_section(const ReportDevice& device, const std::string& id) {
  std::string pictures;
  for (const std::string& family : families_of(device))
    if (const std::optional<Svg> svg = bandwidth_picture(device, family))
      pictures += figure_html(*svg);
  std::string html = fmt::format("<section id=\"{}-bandwidth\"><h3>Bandwidth</h3>\n", id);
  std::string note =
      "Each input read once and each output written once, over the time; both axes are "
      "logarithmic, and the same for all families; grey dots are the others. ";
  if (!device.limits)
    note += "Run fusetune doctor with the same --store for the limits of this device.";
  else
    note +=
        "The tick above a point is what this device reaches with the same mix, on cold data. "
        "Data that were hot can be above it.";
  if (device.limits && !device.limits->same_conditions)
    note += " The limits were measured under other conditions than the races.";
  html += note_html(note);
  html += pictures.empty() ? note_html("The bytes of no row are known.")
                           : "<div class=\"pictures\">" + pictures + "</div>\n";
  return html + "</section>\n";
}

}  // namespace fusetune
