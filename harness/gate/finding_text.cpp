#include "harness/gate/finding_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// The graver first.
constexpr std::array kGravity{Verdict::verify_fail,  Verdict::crash,       Verdict::regression,
                              Verdict::env_changed,  Verdict::no_baseline, Verdict::noise_limited,
                              Verdict::inconclusive, Verdict::skipped,     Verdict::improvement,
                              Verdict::pass};

std::ptrdiff_t gravity(Verdict verdict) {
  return std::find(kGravity.begin(), kGravity.end(), verdict) - kGravity.begin();
}

std::string_view meaning_of(ExitCode code) {
  switch (code) {
    case ExitCode::pass:
      return "";
    case ExitCode::regression:
      return "something got worse";
    case ExitCode::verification_failed:
      return "a result was wrong";
    case ExitCode::inconclusive:
      return "something could not be decided";
    case ExitCode::unusable:
      return "the environment or the baseline cannot be used";
    case ExitCode::kernel_crash:
      return "a kernel crashed or hung";
    case ExitCode::interrupted:
      return "interrupted";
    default:
      return "an error";
  }
}

/// The groups of timed findings are judged as well.
Finding as_finding(const SuiteFinding& suite) {
  Finding finding;
  finding.rule = "perf/suite";
  finding.family = "suite";
  finding.case_key = suite.group.empty() ? "all" : suite.group;
  finding.verdict = suite.verdict;
  finding.reason = suite.reason;
  finding.ratio = suite.ratio;
  finding.group = suite.group;
  finding.numbers["cases"] = static_cast<double>(suite.cases);
  return finding;
}

Finding nothing_compared(const GateReport& report) {
  Finding finding;
  finding.rule = "gate/coverage";
  finding.family = "gate";
  finding.case_key = report.name;
  finding.verdict = Verdict::env_changed;
  finding.reason = "nothing was compared: " + coverage_text(report);
  finding.place.file = report.findings.empty() ? report.session.value("sweep_file", "")
                                               : report.findings.front().place.file;
  return finding;
}

}  // namespace

bool fails(const Finding& finding, const GateRules& rules) {
  return exit_code_of(finding.verdict, rules) != ExitCode::pass;
}

bool is_undecided(Verdict verdict) {
  return verdict == Verdict::inconclusive || verdict == Verdict::noise_limited ||
         verdict == Verdict::no_baseline || verdict == Verdict::skipped;
}

std::vector<Finding> findings_to_show(const GateReport& report) {
  std::vector<Finding> findings = report.findings;
  for (const SuiteFinding& suite : report.suites) findings.push_back(as_finding(suite));
  if (report.compared == 0) findings.push_back(nothing_compared(report));
  return findings;
}

std::vector<Finding> worst_first(std::vector<Finding> findings, const GateRules& rules) {
  const auto slowness = [](const Finding& finding) {
    return finding.ratio && std::isfinite(finding.ratio->mid) ? finding.ratio->mid : 0.0;
  };
  std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    if (fails(a, rules) != fails(b, rules)) return fails(a, rules);
    if (a.verdict != b.verdict) return gravity(a.verdict) < gravity(b.verdict);
    return slowness(a) > slowness(b);
  });
  return findings;
}

std::string ratio_text(const std::optional<Interval>& ratio) {
  if (!ratio) return "";
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio->mid, ratio->low, ratio->high);
}

std::string detectable_text(const Finding& finding) {
  if (!finding.detectable_percent) return "";
  return fmt::format("could have seen {:.1f} %", *finding.detectable_percent);
}

std::string message_of(const Finding& finding) {
  std::string text = finding.reason;
  if (finding.ratio) text += "; ratio " + ratio_text(finding.ratio);
  if (finding.detectable_percent) text += "; " + detectable_text(finding);
  return clean_text(text);
}

std::string counts_text(const GateReport& report) {
  std::map<std::ptrdiff_t, std::int64_t> counts;
  for (const Finding& finding : report.findings) ++counts[gravity(finding.verdict)];
  std::vector<std::string> parts;
  for (auto it = counts.rbegin(); it != counts.rend(); ++it)
    parts.push_back(
        fmt::format("{} {}", it->second, to_string(kGravity[static_cast<std::size_t>(it->first)])));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string coverage_text(const GateReport& report) {
  return fmt::format("{} of {} compared", report.compared, report.expected);
}

std::string outcome_text(const GateReport& report, const GateRules& rules) {
  const ExitCode code = exit_code_of(report, rules);
  if (code == ExitCode::pass) return "passed";
  if (report.compared == 0 && code == ExitCode::unusable)
    return fmt::format("failed with exit code {}: nothing was compared", static_cast<int>(code));
  return fmt::format("failed with exit code {}: {}", static_cast<int>(code), meaning_of(code));
}

std::string clean_text(const std::string& text) {
  const Json quoted = Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace));
  std::string clean = quoted.get<std::string>();
  for (char& c : clean)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '?';
  // Two code points that are valid UTF-8 and no character of XML.
  for (const std::string_view bad : {"\xef\xbf\xbe", "\xef\xbf\xbf"})
    for (std::size_t at = clean.find(bad); at != std::string::npos; at = clean.find(bad, at))
      clean.replace(at, bad.size(), "?");
  return clean;
}

std::string fingerprint_of(const Finding& finding) {
  return hash_hex({finding.rule, finding.target, finding.case_key, finding.variant});
}

}  // namespace fusetune
