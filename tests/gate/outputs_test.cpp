#include <gmock/gmock.h>

#include <cstdlib>
#include <limits>

#include "harness/base/files.hpp"
#include "harness/base/temporary_folder.hpp"
#include "harness/gate/finding_text.hpp"
#include "harness/gate/gate_json.hpp"
#include "harness/gate/github.hpp"
#include "harness/gate/junit.hpp"
#include "harness/gate/sarif.hpp"
#include "tests/gate/hostile_report.hpp"

namespace fusetune {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTime = "2026-01-02T03:04:05";

/// One finding of every verdict, as no gate has them together.
GateReport every_verdict() {
  GateReport report;
  report.name = "all";
  report.session = Json::object();
  for (const Verdict verdict :
       {Verdict::pass, Verdict::improvement, Verdict::regression, Verdict::inconclusive,
        Verdict::noise_limited, Verdict::verify_fail, Verdict::crash, Verdict::no_baseline,
        Verdict::env_changed, Verdict::skipped})
    report.findings.push_back(finding_with(verdict, "perf/ratio", std::string(to_string(verdict))));
  report.compared = 5;
  report.expected = 10;
  return report;
}

std::vector<std::string> cases_of(const std::vector<Finding>& findings) {
  std::vector<std::string> cases;
  for (const Finding& finding : findings) cases.push_back(finding.case_key);
  return cases;
}

TEST(FindingText, TheWorstComesFirst) {
  EXPECT_THAT(cases_of(worst_first(every_verdict().findings, {})),
              ElementsAre("VERIFY_FAIL", "CRASH", "REGRESSION", "ENV_CHANGED", "NO_BASELINE",
                          "NOISE_LIMITED", "INCONCLUSIVE", "SKIPPED", "IMPROVEMENT", "PASS"));
}

TEST(FindingText, WhatFailsByAskingComesBeforeWhatDoesNot) {
  std::vector<Finding> findings = every_verdict().findings;
  findings.push_back(finding_with(Verdict::inconclusive, "perf/ratio", "again"));
  EXPECT_THAT(
      cases_of(worst_first(findings, {true, false})),
      ElementsAre("VERIFY_FAIL", "CRASH", "REGRESSION", "ENV_CHANGED", "NOISE_LIMITED",
                  "INCONCLUSIVE", "again", "NO_BASELINE", "SKIPPED", "IMPROVEMENT", "PASS"));
}

TEST(FindingText, OfEqualVerdictsTheSlowerComesFirst) {
  Finding slow = finding_with(Verdict::regression, "perf/ratio", "slow");
  slow.ratio = Interval{1.1, 1.2, 1.3};
  Finding slower = finding_with(Verdict::regression, "perf/ratio", "slower");
  slower.ratio = Interval{1.2, 1.4, 1.6};
  Finding unknown = finding_with(Verdict::regression, "perf/ratio", "unknown");
  unknown.ratio = Interval{0, std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_THAT(cases_of(worst_first({slow, unknown, slower}, {})),
              ElementsAre("slower", "slow", "unknown"));
}

TEST(FindingText, MessagesHaveRatioAndDetectableEffect) {
  Finding finding = finding_with(Verdict::inconclusive, "perf/ratio", "case");
  finding.ratio = Interval{0.99, 1.0214, 1.05};
  finding.detectable_percent = 4.13;
  EXPECT_EQ(message_of(finding), "a reason; ratio 1.021 [0.990, 1.050]; could have seen 4.1 %");
}

TEST(FindingText, NothingComparedIsAFindingOfItsOwn) {
  GateReport report;
  report.name = "empty";
  report.session = {{"sweep_file", "configs/sweeps/empty.yaml"}};
  const std::vector<Finding> findings = findings_to_show(report);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule, "gate/coverage");
  EXPECT_EQ(findings[0].place.file, "configs/sweeps/empty.yaml");
  EXPECT_TRUE(fails(findings[0], {}));
  EXPECT_EQ(outcome_text(report, {}), "failed with exit code 4: nothing was compared");
}

TEST(FindingText, FingerprintsTellFindingsApartAndStay) {
  const Finding one = finding_with(Verdict::regression, "static/spills", "case");
  Finding same = one;
  same.verdict = Verdict::pass;
  same.reason = "another day";
  EXPECT_EQ(fingerprint_of(one), fingerprint_of(same));
  for (std::string Finding::*member :
       {&Finding::rule, &Finding::target, &Finding::case_key, &Finding::variant}) {
    Finding other = one;
    other.*member += "x";
    EXPECT_NE(fingerprint_of(one), fingerprint_of(other));
  }
}

TEST(Junit, CountsWhatItLists) {
  const std::string xml = junit_xml(every_verdict(), {}, kTime);
  EXPECT_THAT(xml,
              HasSubstr("<testsuites tests=\"10\" failures=\"3\" disabled=\"0\" errors=\"1\""));
  EXPECT_THAT(xml, HasSubstr("failures=\"3\" disabled=\"0\" skipped=\"4\" errors=\"1\""));
  EXPECT_EQ(count_of(xml, "<failure "), 3u);
  EXPECT_EQ(count_of(xml, "<error "), 1u);
  EXPECT_EQ(count_of(xml, "<skipped "), 4u);
}

TEST(Junit, WhatIsAskedToFailFails) {
  const std::string xml = junit_xml(every_verdict(), {true, true}, kTime);
  EXPECT_EQ(count_of(xml, "<failure "), 6u);
  EXPECT_EQ(count_of(xml, "<skipped "), 1u);
}

TEST(Junit, ACaseCarriesItsNumbers) {
  GateReport report = every_verdict();
  report.findings.front().numbers = {{"vgpr_of_k", 32}, {"broken", NAN}};
  report.findings.front().ratio = Interval{0.5, 1.25, 2};
  const std::string xml = junit_xml(report, {}, kTime);
  EXPECT_THAT(xml, HasSubstr("<property name=\"vgpr_of_k\" value=\"32\"/>"));
  EXPECT_THAT(xml, HasSubstr("<property name=\"ratio\" value=\"1.25\"/>"));
  EXPECT_THAT(xml, Not(HasSubstr("broken")));
  EXPECT_THAT(xml, HasSubstr("file=\"configs/sweeps/gate.yaml\" line=\"12\""));
}

TEST(Junit, SuitesAreCasesToo) {
  GateReport report = every_verdict();
  report.suites.push_back({"decode", Verdict::regression, Interval{1.02, 1.03, 1.04}, 12, "slow"});
  EXPECT_THAT(junit_xml(report, {}, kTime), HasSubstr("type=\"perf/suite\""));
}

TEST(Sarif, OnlyWhatIsNotFineIsAResult) {
  const Json run = sarif_json(every_verdict(), {}).at("runs").at(0);
  std::map<std::string, std::string> levels;
  for (const Json& result : run.at("results"))
    levels[result.at("properties").at("verdict").get<std::string>()] = result.at("level");
  EXPECT_EQ(levels, (std::map<std::string, std::string>{{"VERIFY_FAIL", "error"},
                                                        {"CRASH", "error"},
                                                        {"REGRESSION", "error"},
                                                        {"ENV_CHANGED", "error"},
                                                        {"NO_BASELINE", "note"},
                                                        {"NOISE_LIMITED", "note"},
                                                        {"INCONCLUSIVE", "note"},
                                                        {"SKIPPED", "note"}}));
  EXPECT_EQ(run.at("tool").at("driver").at("rules").size(), 1u);
}

TEST(Sarif, PlacesAreUris) {
  GateReport report;
  report.compared = 1;
  report.session = Json::object();
  report.findings = {finding_with(Verdict::regression, "static/spills", "case"),
                     finding_with(Verdict::regression, "static/spills", "other")};
  report.findings[0].place.file = "configs/a b#c%.yaml";
  report.findings[1].place.file = "/tmp/x.yaml";
  const Json results = sarif_json(report, {}).at("runs").at(0).at("results");
  const auto artifact = [&](std::size_t i) {
    return results.at(i).at("locations").at(0).at("physicalLocation").at("artifactLocation");
  };
  EXPECT_EQ(artifact(0).at("uri"), "configs/a%20b%23c%25.yaml");
  EXPECT_EQ(artifact(0).at("uriBaseId"), "%SRCROOT%");
  EXPECT_EQ(artifact(1).at("uri"), "file:///tmp/x.yaml");
  EXPECT_FALSE(artifact(1).contains("uriBaseId"));
}

TEST(StepSummary, HasFiftyRowsAndCountsTheRest) {
  GateReport report = every_verdict();
  for (int i = 0; i < 70; ++i)
    report.findings.push_back(finding_with(Verdict::pass, "static/facts", std::to_string(i)));
  const std::string text = step_summary(report, {});
  EXPECT_EQ(count_of(text, "\n| "), 1 + kSummaryRowsMax);
  EXPECT_THAT(text, HasSubstr("30 more findings are not shown."));
}

TEST(StepSummary, NeverGrowsBeyondWhatIsTaken) {
  GateReport report;
  report.session = Json::object();
  report.compared = 1;
  for (int i = 0; i < 40; ++i) {
    report.findings.push_back(finding_with(Verdict::regression, "static/facts", "case"));
    report.findings.back().reason = std::string(50000, 'x');
  }
  const std::string text = step_summary(report, {});
  EXPECT_LE(text.size(), kSummaryBytesMax);
  EXPECT_GT(text.size(), kSummaryBytesMax - 60000);
  EXPECT_THAT(text, HasSubstr("more findings are not shown."));
  for (const std::size_t room : {0u, 10u, 300u, 1000u})
    EXPECT_LE(step_summary(report, {}, room).size(), room);
}

TEST(Annotations, AreTheFirstTenThatFail) {
  GateReport report = every_verdict();
  EXPECT_EQ(count_of(annotations(report, {}), "::error "), 4u);
  for (int i = 0; i < 70; ++i)
    report.findings.push_back(finding_with(Verdict::regression, "static/facts", "more"));
  EXPECT_EQ(count_of(annotations(report, {}), "::error "), kAnnotationsMax);
  report.findings = {finding_with(Verdict::pass, "static/facts", "fine")};
  EXPECT_EQ(annotations(report, {}), "");
}

TEST(Annotations, AreOneLineEach) {
  GateReport report = every_verdict();
  report.findings = {finding_with(Verdict::regression, "a:b,c", "case")};
  report.findings[0].place.file = "a,b:c%.yaml";
  report.findings[0].reason = "50 %\n::error::gone";
  EXPECT_EQ(annotations(report, {}),
            "::error file=a%2Cb%3Ac%25.yaml,line=12,col=7,title=fusetune a%3Ab%2Cc::case: "
            "REGRESSION 50 %25%0A::error::gone%0Ashow it again: fusetune inspect\n");
}

TEST(GateJson, HasAVersionAndWhatTheExitCodeIsMadeOf) {
  const Json json = gate_json(every_verdict(), {});
  EXPECT_EQ(json.at("schema_version"), kGateSchemaVersion);
  EXPECT_EQ(json.at("exit_code"), 2);
  EXPECT_EQ(json.at("counts").at("CRASH"), 1);
  EXPECT_EQ(json.at("findings").size(), 10u);
  EXPECT_TRUE(json.at("findings").at(0).at("detectable_percent").is_null());
}

/// tests/cli/gate_static_test.py reads the files with parsers that are not ours.
TEST(HostileReport, IsWrittenForOtherReaders) {
  const TemporaryFolder scratch("hostile");
  const char* asked = std::getenv("FUSETUNE_HOSTILE_DIR");
  const std::filesystem::path folder = asked != nullptr ? asked : scratch.path();
  const GateReport report = hostile_report();
  write_file_atomic(folder / "hostile.xml", junit_xml(report, {}, kTime));
  write_file_atomic(folder / "hostile.sarif", sarif_json(report, {}).dump());
  write_file_atomic(folder / "hostile.json", gate_json(report, {}).dump());
  write_file_atomic(folder / "hostile.md", step_summary(report, {}));
  const std::string lines = annotations(report, {});
  EXPECT_EQ(count_of(lines, "\n"), std::min(report.findings.size(), kAnnotationsMax));
  EXPECT_EQ(count_of("\n" + lines, "\n::error file="), count_of(lines, "\n"));
}

TEST(HostileReport, IsTextInMarkdown) {
  for (const std::string& name : hostile_names()) {
    const std::string text = markdown_text(name);
    EXPECT_EQ(text.find_first_of("\\`*_[]<>|\n\r@"), std::string::npos) << text;
  }
  EXPECT_EQ(markdown_text("a|b <c>"), "a&#124;b &#60;c&#62;");
}

TEST(HostileReport, IsTextInXml) {
  EXPECT_EQ(xml_text("a<b>&\"'\n\x01"), "a&lt;b&gt;&amp;&quot;&apos;&#10;?");
}

}  // namespace
}  // namespace fusetune
