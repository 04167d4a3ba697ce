#include "harness/report/page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "harness/report/escape.hpp"
#include "harness/report/html.hpp"
#include "harness/report/scale.hpp"
#include "harness/spec/target.hpp"

namespace fusetune {

namespace {

std::string tile(const std::string& figure, const std::string& what) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", escaped(figure),
                     escaped(what));
}

/// A thin space between groups of three digits.
std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), "\xE2\x80\xAF");
  return digits;
}

std::string device_tiles(const ReportDevice& device) {
  std::int64_t rows = 0, beaten = 0, compared = 0;
  double logs = 0;
  for (const ReportGeometry& geometry : device.geometries)
    for (const ReportRow& row : geometry.rows) {
      ++rows;
      if (!row.is_default && row.certificate.versus_baseline > 0) ++beaten;
      if (!(row.certificate.versus_baseline > 0)) continue;
      ++compared;
      if (!row.is_default) logs += std::log(row.certificate.versus_baseline);
    }
  std::string html = tile(grouped(rows), rows == 1 ? "row" : "rows");
  if (compared > 0) {
    html += tile(fmt::format("{} of {}", beaten, rows), "beat the baseline beyond noise");
    html += tile(times_text(std::exp(logs / static_cast<double>(compared))),
                 "geometric mean of the speed over the baseline; default rows count as 1");
  }
  return "<div class=\"tiles\">" + html + "</div>\n";
}

std::string store_tiles(const Report& report) {
  std::size_t failures = 0;
  for (const FailureClass& one : report.failures) failures += one.members.size();
  const ReportCounts& counts = report.counts;
  if (counts.compiled + counts.proved + counts.raced == 0) return "";
  return "<div class=\"tiles\">" + tile(grouped(counts.compiled), "compilations") +
         tile(grouped(counts.proved), "variants proved or disproved") +
         tile(grouped(counts.proof_comparisons), "comparisons in these proofs") +
         tile(grouped(counts.raced), "races") +
         tile(grouped(static_cast<std::int64_t>(failures)), "failures") + "</div>\n";
}

std::string conditions_text(const Json& conditions) {
  std::string text;
  if (!conditions.is_object()) return text;
  for (const auto& [name, value] : conditions.items())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name,
                        value.is_string() ? value.get<std::string>() : value.dump());
  return text;
}

/// What nobody may conclude from a device's figures; "" for GPUs.
std::string caution_of(const ReportDevice& device) {
  if (device.target.starts_with("host"))
    return "Timed on a CPU: these figures rank variants on this CPU and say nothing of a GPU.";
  if (device.target.starts_with("simulated"))
    return "Timed on the simulated device: these figures say nothing of any machine.";
  return "";
}

std::string device_html(const ReportDevice& device, const std::string& id) {
  std::string html =
      fmt::format("<section id=\"{}\" class=\"device\"><h2>{}</h2>\n", id, escaped(device.name));
  html += note_html(fmt::format("target {}{}{}", device.target.empty() ? "unknown" : device.target,
                                device.conditions.empty() ? "" : "; ",
                                conditions_text(device.conditions)));
  if (const std::string caution = caution_of(device); !caution.empty())
    html += "<p class=\"caution\">" + escaped(caution) + "</p>\n";
  html += device_tiles(device);
  html += winners_section(device, id) + variants_section(device, id) + time_section(device, id) +
          bandwidth_section(device, id) + changes_section(device, id);
  return html + "</section>\n";
}

std::string link(const std::string& id, const std::string& text) {
  return fmt::format("<a href=\"#{}\">{}</a>", id, escaped(text));
}

std::string nav_html(const Report& report) {
  std::string html;
  for (std::size_t d = 0; d < report.devices.size(); ++d) {
    const std::string id = fmt::format("d{}", d);
    if (report.devices.size() > 1) html += link(id, report.devices[d].name);
    html += link(id + "-winners", "Winners") + link(id + "-variants", "Variants") +
            link(id + "-time", "Time") + link(id + "-bandwidth", "Bandwidth");
    if (report.devices[d].changes) html += link(id + "-changes", "Changes");
  }
  html += link("failures", "Failures") + link("facts", "Facts");
  return "<nav aria-label=\"Sections\">" + html + "</nav>\n";
}

std::string left_out_html(const Report& report) {
  std::string html = "<section id=\"left-out\"><h2>Left out</h2>\n";
  if (report.left_out.empty()) return html + note_html("Nothing.") + "</section>\n";
  html += "<ul>\n";
  for (const std::string& what : report.left_out) html += "<li>" + escaped(what) + "</li>\n";
  return html + "</ul></section>\n";
}

std::string header_html(const Report& report) {
  std::string about = report.sweeps.empty() ? std::string("no race")
                                            : fmt::format("{}", fmt::join(report.sweeps, ", "));
  if (!report.as_of.empty())
    about += fmt::format(", as of {} {} UTC", report.as_of.substr(0, 10),
                         report.as_of.size() < 16 ? "" : report.as_of.substr(11, 5));
  if (!report.versions.empty())
    about += fmt::format(", fusetune {}", fmt::join(report.versions, ", "));
  return fmt::format("<header><h1>fusetune report</h1><p class=\"note\">{}</p></header>\n",
                     escaped(about));
}

}  // namespace

std::string report_page(const Report& report) {
  std::string body = header_html(report) + nav_html(report) + "<main>\n" + store_tiles(report);
  for (std::size_t d = 0; d < report.devices.size(); ++d)
    body += device_html(report.devices[d], fmt::format("d{}", d));
  body += failures_section(report) + facts_section(report) + left_out_html(report) + "</main>\n";
  // The policy lets nothing be fetched, whatever a name in a record says.
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>fusetune report</title>\n"
      "<style>{}</style></head>\n<body>\n{}<script>{}</script>\n</body></html>\n",
      page_style(), body, page_script());
}

}  // namespace fusetune
