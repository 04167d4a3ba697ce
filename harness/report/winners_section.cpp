#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/report/escape.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"
#include "harness/report/pictures.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;

std::string interval_text(double low, double high) {
  return fmt::format("{} to {}", us_text(low), us_text(high));
}

std::string rows_text(const ReportRow& row) {
  return row.rows_low == row.rows_high ? std::to_string(row.tuned_at)
                                       : fmt::format("{} to {}", row.rows_low, row.rows_high);
}

std::string versus_text(const ReportRow& row) {
  const Certificate& c = row.certificate;
  if (!(c.versus_baseline > 0)) return "not timed";
  if (row.is_default) return "<span class=\"soft\">default</span>";
  return fmt::format("<b>{}</b> <span class=\"soft\">{:.2f} to {:.2f}</span>",
                     times_text(c.versus_baseline), c.versus_low, c.versus_high);
}

std::string percent_text(const std::optional<double>& percent) {
  return percent ? fmt::format("{:.1f} %", *percent) : "unknown";
}

std::string rows_table(const ReportGeometry& geometry) {
  HtmlTable table("Rows of " + geometry.label, {{geometry.rows_symbol, Kind::number},
                                                {"us per call", Kind::number},
                                                {"95 % interval", Kind::number},
                                                {"vs " + geometry.baseline, Kind::number},
                                                {"regret", Kind::number},
                                                {"data", Kind::text},
                                                {"variant", Kind::key}});
  for (const ReportRow& row : geometry.rows) {
    const Certificate& c = row.certificate;
    table.add({rows_text(row), fmt::format("<b>{}</b>", us_text(c.median_us)),
               interval_text(c.low_us, c.high_us), versus_text(row), percent_text(c.regret_percent),
               escaped(row.provenance.data), key_html(row.variant)});
  }
  return table.html();
}

std::string tried_text(const Certificate& c) {
  if (!c.search) return std::to_string(c.candidates);
  return fmt::format("{} of {} tried of {} by {}", c.candidates, c.search->tried,
                     c.search->variants, escaped(c.search->strategy));
}

std::string ties_html(const Certificate& c) {
  if (c.tie_set.empty()) return "none";
  std::string list;
  for (const std::string& tie : c.tie_set) list += "<li>" + key_html(tie) + "</li>";
  return "<ul>" + list + "</ul>";
}

std::string certificate_table(const ReportGeometry& geometry) {
  HtmlTable table("Certificates of " + geometry.label, {{geometry.rows_symbol, Kind::number},
                                                        {"proved on", Kind::text},
                                                        {"cases proved", Kind::number},
                                                        {"raced", Kind::number},
                                                        {"epochs", Kind::number},
                                                        {"samples", Kind::number},
                                                        {"spread", Kind::number},
                                                        {"another wins again", Kind::number},
                                                        {"launches", Kind::text},
                                                        {"tied with", Kind::text},
                                                        {"code", Kind::text},
                                                        {"measured by", Kind::text}});
  for (const ReportRow& row : geometry.rows) {
    const Certificate& c = row.certificate;
    table.add({rows_text(row), escaped(row.in_table ? c.proved_on : "no table was written"),
               std::to_string(c.proofs), tried_text(c), std::to_string(c.epochs),
               std::to_string(c.samples), fmt::format("{:.1f} %", c.spread_percent),
               c.flip_probability ? fmt::format("p = {:.2f}", *c.flip_probability) : "unknown",
               fmt::format("{} in place of {}", c.launches, c.baseline_launches), ties_html(c),
               key_html(row.code_identity.substr(0, 12)),
               escaped(fmt::format("{}, fusetune {}, {}", row.provenance.sweep,
                                   row.provenance.harness_version, row.provenance.compiler))});
  }
  return table.html();
}

std::string family_html(const ReportDevice& device, const std::string& family) {
  std::string tables;
  for (const ReportGeometry& geometry : device.geometries) {
    if (geometry.family != family) continue;
    if (geometry.rows.empty()) {
      tables += note_html(geometry.label + ": no row; its races and proofs decided nothing.");
      continue;
    }
    tables += fmt::format("<p class=\"geometry\">{}</p>\n", key_html(geometry.label));
    tables += rows_table(geometry) + details_html("Certificates", certificate_table(geometry));
  }
  return fmt::format(
      "<div class=\"family\"><div class=\"aside\">{}</div><div class=\"main\">{}</div></div>\n",
      figure_html(winners_picture(device, family)), tables);
}

}  // namespace

std::string winners_section(const ReportDevice& device, const std::string& id) {
  std::string html = fmt::format("<section id=\"{}-winners\"><h3>Winners</h3>\n", id);
  html += note_html(
      "How many times as fast as the baseline each row is, with the 95 % interval over epochs. "
      "Hollow points and \"default\": nothing beat the baseline beyond noise, and the row names "
      "the baseline. Regret: how much slower than the fastest of its race a row may be, the upper "
      "end of the interval.");
  for (const std::string& family : families_of(device)) html += family_html(device, family);
  return html + "</section>\n";
}

}  // namespace fusetune
