#include "harness/gate/junit.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "harness/gate/finding_text.hpp"

namespace fusetune {

namespace {

/// How a test viewer counts a finding.
enum class Result { passed, failed, error, skipped };

Result result_of(const Finding& finding, const GateRules& rules) {
  if (finding.verdict == Verdict::crash) return Result::error;
  if (fails(finding, rules)) return Result::failed;
  return is_undecided(finding.verdict) ? Result::skipped : Result::passed;
}

struct SuiteCounts {
  std::int64_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;

  void add(Result result, double time) {
    ++tests;
    failures += result == Result::failed ? 1 : 0;
    errors += result == Result::error ? 1 : 0;
    skipped += result == Result::skipped ? 1 : 0;
    seconds += time;
  }
};

/// As GoogleTest tells them; skipped tests have no place among all suites.
std::string counts_attributes(const SuiteCounts& counts, const std::string& timestamp,
                              bool of_suite) {
  std::string text =
      fmt::format("tests=\"{}\" failures=\"{}\" disabled=\"0\" ", counts.tests, counts.failures);
  if (of_suite) text += fmt::format("skipped=\"{}\" ", counts.skipped);
  return text + fmt::format("errors=\"{}\" time=\"{:.3f}\" timestamp=\"{}\"", counts.errors,
                            counts.seconds, xml_text(timestamp));
}

void write_property(std::string& out, const std::string& name, const std::string& value) {
  out += fmt::format("        <property name=\"{}\" value=\"{}\"/>\n", xml_text(name),
                     xml_text(value));
}

void write_properties(std::string& out, const Finding& finding) {
  out += "      <properties>\n";
  write_property(out, "verdict", std::string(to_string(finding.verdict)));
  write_property(out, "target", finding.target);
  write_property(out, "variant", finding.variant);
  if (!finding.group.empty()) write_property(out, "group", finding.group);
  if (finding.ratio) {
    write_property(out, "ratio", fmt::format("{}", finding.ratio->mid));
    write_property(out, "ratio_low", fmt::format("{}", finding.ratio->low));
    write_property(out, "ratio_high", fmt::format("{}", finding.ratio->high));
  }
  if (finding.detectable_percent)
    write_property(out, "detectable_percent", fmt::format("{}", *finding.detectable_percent));
  for (const auto& [name, value] : finding.numbers)
    if (std::isfinite(value)) write_property(out, name, fmt::format("{}", value));
  out += "      </properties>\n";
}

void write_element(std::string& out, const char* element, const Finding& finding) {
  const std::string verdict(to_string(finding.verdict));
  const std::string message = fmt::format("{}: {}", verdict, message_of(finding));
  std::string body = message;
  for (const std::string& step : finding.chain) body += "\n  " + step;
  if (!finding.reproduce.empty()) body += "\nshow it again: " + finding.reproduce;
  const bool skipped = std::string_view(element) == "skipped";
  out += fmt::format("      <{} message=\"{}\"{}>{}</{}>\n", element, xml_text(message),
                     skipped ? "" : fmt::format(" type=\"{}\"", xml_text(finding.rule)),
                     xml_text(body), element);
}

/// Case, variant, target and rule: no two findings have the same.
std::string test_name(const Finding& finding) {
  std::string name = finding.case_key.empty() ? "(target)" : finding.case_key;
  if (!finding.variant.empty()) name += fmt::format(" [{}]", finding.variant);
  return fmt::format("{} {} {}", name, finding.target, finding.rule);
}

void write_case(std::string& out, const Finding& finding, Result result,
                const std::string& timestamp) {
  out += fmt::format(
      "    <testcase name=\"{}\" file=\"{}\" line=\"{}\" status=\"{}\" result=\"{}\" "
      "time=\"{:.3f}\" timestamp=\"{}\" classname=\"{}\">\n",
      xml_text(test_name(finding)), xml_text(finding.place.file), finding.place.line,
      result == Result::skipped ? "notrun" : "run",
      result == Result::skipped ? "skipped" : "completed", finding.seconds, xml_text(timestamp),
      xml_text(finding.family));
  write_properties(out, finding);
  if (result == Result::failed) write_element(out, "failure", finding);
  if (result == Result::error) write_element(out, "error", finding);
  if (result == Result::skipped) write_element(out, "skipped", finding);
  out += "    </testcase>\n";
}

}  // namespace

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : clean_text(text)) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\t':
        out += "&#9;";
        break;
      default:
        out += c;
    }
  return out;
}

std::string junit_xml(const GateReport& report, const GateRules& rules,
                      const std::string& timestamp) {
  std::map<std::string, std::pair<SuiteCounts, std::string>> suites;
  SuiteCounts all;
  for (const Finding& finding : findings_to_show(report)) {
    const Result result = result_of(finding, rules);
    auto& [counts, cases] = suites[finding.family];
    counts.add(result, finding.seconds);
    all.add(result, finding.seconds);
    write_case(cases, finding, result, timestamp);
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  out += fmt::format("<testsuites {} name=\"{}\">\n", counts_attributes(all, timestamp, false),
                     xml_text("fusetune gate " + report.name));
  for (const auto& [family, suite] : suites)
    out += fmt::format("  <testsuite name=\"{}\" {}>\n{}  </testsuite>\n", xml_text(family),
                       counts_attributes(suite.first, timestamp, true), suite.second);
  return out + "</testsuites>\n";
}

}  // namespace fusetune
