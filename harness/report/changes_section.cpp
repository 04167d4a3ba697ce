#include <fmt/format.h>

#include "harness/report/escape.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"
#include "harness/report/scale.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;

std::string kind_text(const RowChange& change) {
  switch (change.kind) {
    case RowChange::Kind::other_variant:
      return "<b>another variant</b>";
    case RowChange::Kind::only_here:
      return "new row";
    case RowChange::Kind::only_there:
      return "row is gone";
    case RowChange::Kind::same:
      return change.apart ? "same variant, intervals apart" : "same";
  }
  return "same";
}

std::string ratio_text(const RowChange& change) {
  if (change.us_here <= 0 || change.us_there <= 0) return "";
  return times_text(change.us_here / change.us_there);
}

std::string known_us(double us) { return us > 0 ? us_text(us) : ""; }

}  // namespace

std::string changes_section(const ReportDevice& device, const std::string& id) {
  if (!device.changes) return "";
  const Changes& changes = *device.changes;
  HtmlTable table("Rows against " + changes.against, {{"what", Kind::text},
                                                      {"geometry", Kind::text},
                                                      {"rows", Kind::number},
                                                      {"us then", Kind::number},
                                                      {"us now", Kind::number},
                                                      {"now over then", Kind::number},
                                                      {"variant then", Kind::text},
                                                      {"variant now", Kind::text}});
  std::size_t same = 0;
  for (const RowChange& change : changes.rows) {
    const bool quiet = change.kind == RowChange::Kind::same && !change.apart;
    same += quiet ? 1 : 0;
    const bool one_variant = change.variant_here == change.variant_there;
    table.add(
        {kind_text(change), key_html(change.label), std::to_string(change.tuned_at),
         known_us(change.us_there), known_us(change.us_here), ratio_text(change),
         key_html(change.variant_there),
         one_variant ? "<span class=\"soft\">the same</span>" : key_html(change.variant_here)},
        quiet ? "quiet" : "");
  }
  std::string html = fmt::format("<section id=\"{}-changes\"><h3>Changes</h3>\n", id);
  html += note_html(fmt::format(
      "Against {}: {} of {} rows name the same variant with times that intervals do not "
      "tell apart. Times of two sessions are no evidence of a regression: fusetune gate "
      "runs both again, side by side.{}",
      changes.against, same, changes.rows.size(),
      changes.same_conditions ? ""
                              : " The conditions of the two differ (processor, driver or "
                                "threads): compare no times."));
  return html + table.html() + "</section>\n";
}

}  // namespace fusetune
