#include "harness/gate/github.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/gate/finding_text.hpp"

namespace fusetune {

namespace {

/// As the runner reads the message of a command; a property has two characters more.
std::string command_data(const std::string& text, bool is_property) {
  std::string out;
  for (const char c : clean_text(text)) switch (c) {
      case '%':
        out += "%25";
        break;
      case '\r':
        out += "%0D";
        break;
      case '\n':
        out += "%0A";
        break;
      case ':':
        out += is_property ? "%3A" : ":";
        break;
      case ',':
        out += is_property ? "%2C" : ",";
        break;
      default:
        out += c;
    }
  return out;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : fmt::format("<code>{}</code>", markdown_text(text));
}

std::string summary_row(const Finding& finding, bool failing) {
  const std::string verdict(to_string(finding.verdict));
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n",
                     failing ? "<b>" + markdown_text(verdict) + "</b>" : markdown_text(verdict),
                     markdown_text(finding.rule), code(finding.case_key), code(finding.variant),
                     markdown_text(finding.target), markdown_text(ratio_text(finding.ratio)),
                     markdown_text(detectable_text(finding)), markdown_text(finding.reason));
}

/// A block of <pre>, whose text is no markup either.
std::string reproduce_text(const std::vector<Finding>& findings, const GateRules& rules) {
  std::string lines;
  std::size_t count = 0;
  for (const Finding& finding : findings)
    if (fails(finding, rules) && !finding.reproduce.empty() && ++count <= kAnnotationsMax)
      lines += markdown_text(finding.reproduce) + "<br>";
  return lines.empty() ? "" : fmt::format("\nShow it again:\n\n<pre>{}</pre>\n", lines);
}

}  // namespace

std::string markdown_text(const std::string& text) {
  // Links, mentions and emoji as well; what means something at the begin of a line alone does not
  // matter in a cell.
  constexpr std::string_view kMarkup = "\\`*_[]<>#!|&~@:$";
  std::string out;
  for (const char c : clean_text(text)) {
    if (c == '\n' || c == '\t')
      out += ' ';
    else if (kMarkup.find(c) != std::string_view::npos)
      out += fmt::format("&#{};", static_cast<int>(c));
    else
      out += c;
  }
  return out;
}

std::string step_summary(const GateReport& report, const GateRules& rules, std::size_t bytes_max) {
  const std::vector<Finding> findings = worst_first(findings_to_show(report), rules);
  std::string out =
      fmt::format("## fusetune gate {}: {}\n\n{}; {}.\n\n", markdown_text(report.name),
                  markdown_text(outcome_text(report, rules)), markdown_text(counts_text(report)),
                  markdown_text(coverage_text(report)));
  out +=
      "| verdict | rule | case | variant | target | ratio | effect | reason |\n"
      "|---|---|---|---|---|---|---|---|\n";
  const std::string reproduce = reproduce_text(findings, rules);
  constexpr std::size_t kRestBytes = 100;  // the line that counts the rest
  std::size_t rows = 0;
  for (const Finding& finding : findings) {
    const std::string row = summary_row(finding, fails(finding, rules));
    if (rows == kSummaryRowsMax ||
        out.size() + row.size() + reproduce.size() + kRestBytes > bytes_max)
      break;
    out += row;
    ++rows;
  }
  if (rows < findings.size())
    out += fmt::format("\n{} more findings are not shown.\n", findings.size() - rows);
  if (out.size() + reproduce.size() <= bytes_max) out += reproduce;
  return out.size() <= bytes_max ? out : "";
}

std::string annotations(const GateReport& report, const GateRules& rules) {
  std::string out;
  std::size_t count = 0;
  for (const Finding& finding : worst_first(findings_to_show(report), rules)) {
    if (!fails(finding, rules) || ++count > kAnnotationsMax) break;
    std::string message = fmt::format("{} {}", to_string(finding.verdict), message_of(finding));
    if (!finding.case_key.empty()) message = finding.case_key + ": " + message;
    if (!finding.reproduce.empty()) message += "\nshow it again: " + finding.reproduce;
    out += "::error ";
    if (!finding.place.file.empty())
      out += fmt::format("file={},line={},col={},", command_data(finding.place.file, true),
                         finding.place.line, finding.place.column);
    out += fmt::format("title={}::{}\n", command_data("fusetune " + finding.rule, true),
                       command_data(message, false));
  }
  return out;
}

}  // namespace fusetune
