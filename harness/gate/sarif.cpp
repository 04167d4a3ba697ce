#include "harness/gate/sarif.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "harness/base/files.hpp"
#include "harness/gate/finding_text.hpp"

namespace fusetune {

namespace {

/// What rule ids begin with -> what they are about.
const std::map<std::string, std::string>& rule_kinds() {
  static const std::map<std::string, std::string> kinds = {
      {"perf", "A variant is slower than its baseline, raced beside it on one device."},
      {"static", "A fact of a variant, seen without a clock, is worse than the accepted one."},
      {"verify", "A variant's results are wrong, or it did what a kernel must not do."},
      {"gate", "The gate could not judge."}};
  return kinds;
}

std::string about_rule(const std::string& rule) {
  const auto known = rule_kinds().find(rule.substr(0, rule.find('/')));
  return known == rule_kinds().end() ? "A check of fusetune gate." : known->second;
}

/// A path as a URI: relative ones stay so.
std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return uri;
}

Json location_of(const SourcePlace& place) {
  Json artifact{{"uri", uri_of(place.file)}};
  if (!place.file.starts_with('/')) artifact["uriBaseId"] = "%SRCROOT%";
  return {{"physicalLocation",
           {{"artifactLocation", std::move(artifact)},
            {"region", {{"startLine", place.line}, {"startColumn", place.column}}}}}};
}

Json sarif_properties(const Finding& finding) {
  Json properties{{"verdict", to_string(finding.verdict)},
                  {"case", clean_text(finding.case_key)},
                  {"variant", clean_text(finding.variant)},
                  {"target", clean_text(finding.target)},
                  {"reproduce", clean_text(finding.reproduce)}};
  for (const auto& [name, value] : finding.numbers)
    if (std::isfinite(value)) properties["numbers"][clean_text(name)] = value;
  return properties;
}

Json sarif_result(const Finding& finding, std::size_t rule_index, bool failing) {
  std::string text = fmt::format("{}: {}", to_string(finding.verdict), message_of(finding));
  if (!finding.case_key.empty())
    text += fmt::format("\ncase {}\nvariant {} on {}", finding.case_key, finding.variant,
                        finding.target);
  if (!finding.reproduce.empty()) text += "\nshow it again: " + finding.reproduce;
  Json result{{"ruleId", clean_text(finding.rule)},
              {"ruleIndex", rule_index},
              {"kind", "fail"},
              {"level", failing ? "error" : "note"},
              {"message", {{"text", clean_text(text)}}},
              {"partialFingerprints", {{"fusetuneFinding/v1", fingerprint_of(finding)}}},
              {"properties", sarif_properties(finding)}};
  if (!finding.place.file.empty()) result["locations"] = Json::array({location_of(finding.place)});
  return result;
}

}  // namespace

Json sarif_json(const GateReport& report, const GateRules& rules) {
  std::map<std::string, std::size_t> places;
  Json descriptors = Json::array();
  Json results = Json::array();
  for (const Finding& finding : worst_first(findings_to_show(report), rules)) {
    const bool failing = fails(finding, rules);
    if (!failing && !is_undecided(finding.verdict)) continue;
    const std::string id = clean_text(finding.rule);
    const auto [place, added] = places.emplace(id, places.size());
    if (added)
      descriptors.push_back({{"id", id},
                             {"shortDescription", {{"text", about_rule(id)}}},
                             {"defaultConfiguration", {{"level", "error"}}}});
    results.push_back(sarif_result(finding, place->second, failing));
  }
  const ExitCode code = exit_code_of(report, rules);
  Json invocation{{"executionSuccessful", code == ExitCode::pass},
                  {"exitCode", static_cast<int>(code)}};
  invocation["toolExecutionNotifications"] =
      Json::array({{{"level", code == ExitCode::pass ? "note" : "error"},
                    {"message",
                     {{"text", fmt::format("gate {} {}: {}; {}", clean_text(report.name),
                                           outcome_text(report, rules), counts_text(report),
                                           coverage_text(report))}}}}});
  Json run{{"tool",
            {{"driver",
              {{"name", "fusetune"},
               {"version", harness_version()},
               {"rules", std::move(descriptors)}}}}},
           {"invocations", Json::array({std::move(invocation)})},
           {"columnKind", "unicodeCodePoints"},
           {"automationDetails", {{"id", fmt::format("fusetune/gate/{}", uri_of(report.name))}}},
           {"results", std::move(results)}};
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", Json::array({std::move(run)})}};
}

}  // namespace fusetune
