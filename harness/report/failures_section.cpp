#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/report/escape.hpp"
#include "harness/report/heat_map.hpp"
#include "harness/report/html.hpp"
#include "harness/report/page.hpp"

namespace fusetune {

namespace {

using Kind = HtmlTable::Kind;
using Member = FailureClass::Member;

/// Characters of a record's key: as many as records list shows.
constexpr std::size_t kRecordShown = 10;

/// Members of one class with one step and message are one row.
std::string class_table(const FailureClass& one) {
  std::map<std::pair<std::string, std::string>, std::vector<const Member*>> groups;
  for (const Member& member : one.members) groups[{member.step, member.message}].push_back(&member);
  HtmlTable table(fmt::format("{} on {}", to_string(one.status), one.target),
                  {{"step", Kind::text},
                   {"how many", Kind::number},
                   {"message", Kind::text},
                   {"the first", Kind::text},
                   {"its record", Kind::text}});
  for (const auto& [what, members] : groups)
    table.add({escaped(what.first), std::to_string(members.size()),
               "<span class=\"message\">" + escaped(what.second) + "</span>",
               key_html(members.front()->subject) + "<br>" + key_html(members.front()->variant),
               escaped(members.front()->record.substr(0, kRecordShown))});
  return table.html();
}

std::string members_list(const FailureClass& one) {
  std::string list;
  for (const Member& member : one.members)
    list += fmt::format("<li>{} {} <span class=\"soft\">{}</span></li>\n", key_html(member.subject),
                        key_html(member.variant), escaped(member.record.substr(0, kRecordShown)));
  return "<ul class=\"members\">" + list + "</ul>\n";
}

}  // namespace

std::string failures_section(const Report& report) {
  std::string html = "<section id=\"failures\"><h2>Failures</h2>\n";
  if (report.failures.empty())
    return html + note_html("No variant failed to compile, to be proved or to be timed.") +
           "</section>\n";
  std::size_t all = 0;
  for (const FailureClass& one : report.failures) all += one.members.size();
  html += note_html(fmt::format(
      "{} in {} classes, by status and target. A variant that failed was never timed, or lost its "
      "times; fusetune records show RECORD has all that is known of one.",
      all, report.failures.size()));
  for (const FailureClass& one : report.failures) {
    html += fmt::format(
        "<h3><span class=\"tag\">{}</span> {} <span class=\"soft\">on {}, {}</span></h3>\n",
        escaped(failure_word(one.status)), escaped(to_string(one.status)), escaped(one.target),
        one.members.size());
    html += class_table(one);
    if (one.members.size() > 1)
      html += details_html(fmt::format("All {}", one.members.size()), members_list(one));
  }
  return html + "</section>\n";
}

}  // namespace fusetune
