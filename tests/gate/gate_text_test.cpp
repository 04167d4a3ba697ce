#include "harness/cli/gate_text.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "harness/base/error.hpp"
#include "tests/gate/hostile_report.hpp"

namespace fusetune {
namespace {

using testing::HasSubstr;
using testing::Not;

GateReport timed_report() {
  GateReport report;
  report.name = "timed";
  for (const int tokens : {1, 256}) {
    Finding finding = finding_with(
        Verdict::regression, "perf/ratio",
        "split_reshape_cat(act=bf16,ba=bf16,hk=128,hv=128,layout=contiguous,nk=2,nv=6,tokens=" +
            std::to_string(tokens) + ",zero_fill=off)");
    finding.variant =
        "block_size=256,mapping=row,nontemporal=off,persistent=off,rows_per_iter=1,vector_bytes=16";
    finding.ratio = Interval{1.041, 1.0523, 1.063};
    finding.detectable_percent = 2.14;
    report.findings.push_back(finding);
  }
  report.findings.back().verdict = Verdict::pass;
  report.findings.back().detectable_percent.reset();
  report.suites = {{"decode", Verdict::regression, Interval{1.04, 1.05, 1.06}, 1, ""},
                   {"prefill", Verdict::skipped, std::nullopt, 0, "no suite to judge"}};
  report.compared = report.expected = 2;
  return report;
}

std::size_t widest(const std::string& text) {
  std::size_t width = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) width = std::max(width, line.size());
  return width;
}

TEST(GateText, ALineHasVerdictRatioIntervalAndDetectableEffect) {
  const std::string text = cases_text(timed_report(), {}, {});
  EXPECT_THAT(text, HasSubstr("REGRESSION"));
  EXPECT_EQ(count_of(text, "1.052 [1.041, 1.063]"), 2u) << text;
  EXPECT_EQ(count_of(text, "2.1 %"), 1u);
  EXPECT_LE(widest(text), kLineWidth) << text;
}

TEST(GateText, NothingTimedHasNoColumnsForIt) {
  GateReport report = timed_report();
  for (Finding& finding : report.findings) finding.ratio.reset();
  EXPECT_THAT(cases_text(report, {}, {}), Not(HasSubstr("ratio")));
}

TEST(GateText, ACaseIsOneLineWithItsWorst) {
  GateReport report = timed_report();
  Finding wrong = report.findings.back();
  wrong.verdict = Verdict::verify_fail;
  wrong.target = "host-w64";
  report.findings.push_back(wrong);
  const std::string text = cases_text(report, {}, {});
  EXPECT_EQ(count_of(text, "VERIFY_FAIL"), 1u);
  EXPECT_THAT(text, Not(HasSubstr("PASS")));
  EXPECT_THAT(text, HasSubstr("gfx90a host-w64"));
}

TEST(GateText, ColoursAreForTerminals) {
  const Terminal colours{true, true};
  EXPECT_THAT(cases_text(timed_report(), {}, colours), HasSubstr("\x1b[31mREGRESSION"));
  EXPECT_THAT(cases_text(timed_report(), {}, {}), Not(HasSubstr("\x1b")));
}

TEST(GateText, FailuresAreToldInFullAndNoMoreThanAsked) {
  const std::string one = problems_text(timed_report(), {}, {}, 1);
  EXPECT_EQ(count_of(one, "show it again:"), 1u);
  EXPECT_THAT(one, HasSubstr("1 more failure in the files"));
  const std::string all = problems_text(timed_report(), {}, {}, 20);
  EXPECT_THAT(all, HasSubstr("configs/sweeps/gate.yaml:12"));
  EXPECT_THAT(all, Not(HasSubstr("more failure")));
  // The outcome's lines tell of suites.
  EXPECT_THAT(all, Not(HasSubstr("SKIPPED")));
}

TEST(GateText, TheOutcomeIsTheLastLine) {
  const std::string text = outcome_lines(timed_report(), {}, {});
  EXPECT_THAT(text, HasSubstr("REGRESSION decode, 1 case: geometric mean 1.050 [1.040, 1.060]\n"));
  EXPECT_THAT(text, HasSubstr("SKIPPED prefill, 0 cases; no suite to judge\n"));
  EXPECT_TRUE(text.ends_with("gate timed: failed with exit code 1: something got worse\n"));
}

TEST(GateText, DecisionsAreToldStepByStep) {
  GateReport report = timed_report();
  report.findings.front().chain = {"first", "second"};
  const std::string text = decision_text(report, report.findings.front().case_key);
  EXPECT_THAT(text, HasSubstr("    1. first\n    2. second\n"));
  // As a person types it: what it means anyway left out.
  EXPECT_EQ(decision_text(report, "split_reshape_cat(nk=2,nv=6,layout=contiguous,tokens=1)"), text);
  EXPECT_THROW(decision_text(report, "split_reshape_cat(nk=2,nv=6,tokens=2)"), UserError);
}

TEST(GateText, HostileNamesBreakNoLine) {
  const std::string text = problems_text(hostile_report(), {}, {}, 20);
  EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
    return c == '\n' || static_cast<unsigned char>(c) >= 0x20;
  })) << text;
  EXPECT_THAT(text, Not(HasSubstr("\n::")));
  EXPECT_THAT(text, Not(HasSubstr("\nbreak")));
}

}  // namespace
}  // namespace fusetune
