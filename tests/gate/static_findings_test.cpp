#include "harness/gate/static_findings.hpp"

#include <gmock/gmock.h>

#include "tests/gate/hostile_report.hpp"

namespace fusetune {
namespace {

using testing::HasSubstr;

const StaticRules& few_rules() {
  static const StaticRules rules = parse_static_rules(
      "gate_rules: 1\n"
      "rules:\n"
      "  - {rule: static/registers, facts: [vgpr], worse: more, reason: r}\n"
      "  - {rule: static/lds, facts: [lds_bytes], worse: more, reason: r}\n",
      "rules.yaml");
  return rules;
}

FactsEntry observed(std::int64_t vgpr, std::int64_t lds, const std::string& code) {
  return {"copy()", "a=1", code, {{"k", {{"vgpr", vgpr}, {"lds_bytes", lds}}}}};
}

class JudgeEntry : public testing::Test {
 protected:
  std::vector<Finding> judge(const FactsEntry& entry, const std::string& compiler = "one") {
    const AcceptedFacts accepted{"small", "gfx90a", "one", {observed(32, 64, "ab")}};
    return judge_entry(few_rules(), {&accepted, compiler}, entry,
                       finding_with(Verdict::skipped, "", "copy()"), compared_);
  }

  std::int64_t compared_ = 0;
};

TEST_F(JudgeEntry, EveryBrokenRuleIsAFinding) {
  const auto findings = judge(observed(33, 65, "cd"));
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].rule, "static/lds");
  EXPECT_EQ(findings[1].rule, "static/registers");
  EXPECT_EQ(findings[1].verdict, Verdict::regression);
  EXPECT_EQ(findings[1].numbers.at("vgpr_of_k"), 33);
  EXPECT_EQ(findings[1].numbers.at("accepted_vgpr_of_k"), 32);
  EXPECT_EQ(compared_, 1);
}

TEST_F(JudgeEntry, ALossIsNotMadeGoodByAGain) {
  const auto findings = judge(observed(33, 0, "cd"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].verdict, Verdict::regression);
}

TEST_F(JudgeEntry, AGainIsAnImprovement) {
  const auto findings = judge(observed(16, 64, "cd"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].verdict, Verdict::improvement);
}

TEST_F(JudgeEntry, TheSameCodePassesByIdentity) {
  const auto findings = judge(observed(32, 64, "ab"), "another");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].verdict, Verdict::pass);
  EXPECT_EQ(findings[0].reason, "the same machine code as accepted");
}

TEST_F(JudgeEntry, IdentityHidesNoLoss) {
  EXPECT_EQ(judge(observed(33, 64, "ab"))[0].verdict, Verdict::regression);
}

TEST_F(JudgeEntry, AnotherCompilerMayBeToBlame) {
  const auto findings = judge(observed(33, 64, "cd"), "another");
  EXPECT_EQ(findings[0].verdict, Verdict::env_changed);
  EXPECT_THAT(findings[0].reason, HasSubstr("compiled by another, accepted of one"));
}

TEST_F(JudgeEntry, WhatIsNewComparesNothing) {
  FactsEntry entry = observed(33, 64, "cd");
  entry.variant = "a=2";
  EXPECT_EQ(judge(entry)[0].verdict, Verdict::no_baseline);
  EXPECT_EQ(compared_, 0);
}

Finding judged(Status status, std::int64_t comparisons, const std::string& check = "") {
  ProvedVariant proved;
  proved.outcome = {status, "message"};
  proved.failed_check = check;
  proved.cases = 2;
  if (comparisons >= 0) proved.checks = {{"exact", comparisons, "elements"}};
  std::int64_t compared = 0;
  return judge_proof(proved, finding_with(Verdict::skipped, "", "copy()"), compared);
}

TEST(JudgeProof, GoesByTheStatus) {
  EXPECT_EQ(judged(Status::ok, 5).verdict, Verdict::pass);
  EXPECT_EQ(judged(Status::verification_failed, 5).verdict, Verdict::verify_fail);
  EXPECT_EQ(judged(Status::race, 5).verdict, Verdict::verify_fail);
  EXPECT_EQ(judged(Status::kernel_timeout, 0).verdict, Verdict::crash);
  EXPECT_EQ(judged(Status::worker_lost, 0).verdict, Verdict::crash);
  EXPECT_EQ(judged(Status::compile_error, 0).verdict, Verdict::regression);
}

TEST(JudgeProof, ALateOrDyingCompilerIsNoLossOfTheKernel) {
  EXPECT_EQ(judged(Status::compile_timeout, 0).verdict, Verdict::env_changed);
  EXPECT_EQ(judged(Status::compiler_crash, 0).verdict, Verdict::env_changed);
  EXPECT_EQ(judged(Status::resource_limit, 0).verdict, Verdict::regression);
}

TEST(JudgeCompilation, GoesByTheStatusAndTheCompiler) {
  const AcceptedFacts accepted{"small", "gfx90a", "one", {}};
  const auto verdict = [&](Status status, const std::string& compiler) {
    CompiledUnit unit;
    unit.code.outcome = {status, "message"};
    return judge_compilation(unit, {&accepted, compiler},
                             finding_with(Verdict::skipped, "", "copy()"))
        .verdict;
  };
  EXPECT_EQ(verdict(Status::compile_error, "one"), Verdict::regression);
  EXPECT_EQ(verdict(Status::compile_error, "another"), Verdict::env_changed);
  EXPECT_EQ(verdict(Status::compile_timeout, "one"), Verdict::env_changed);
  EXPECT_EQ(verdict(Status::skipped, "another"), Verdict::skipped);
}

TEST(JudgeProof, NothingComparedIsNoPass) {
  EXPECT_EQ(judged(Status::ok, 0).verdict, Verdict::skipped);
  EXPECT_EQ(judged(Status::skipped, 0).verdict, Verdict::skipped);
  EXPECT_EQ(judged(Status::pruned, 5).verdict, Verdict::skipped);
}

TEST(JudgeProof, TheRuleIsTheCheckThatFailed) {
  EXPECT_EQ(judged(Status::verification_failed, 5, "exact").rule, "verify/exact");
  EXPECT_EQ(judged(Status::ok, 5).rule, "verify/proof");
}

TEST(ExitCodes, OfAReport) {
  GateReport report;
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::unusable);
  report.compared = 1;
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::pass);
  report.findings = {finding_with(Verdict::skipped, "", ""),
                     finding_with(Verdict::inconclusive, "", "")};
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::pass);
  EXPECT_EQ(exit_code_of(report, {true, false}), ExitCode::inconclusive);
  report.findings.push_back(finding_with(Verdict::no_baseline, "", ""));
  EXPECT_EQ(exit_code_of(report, {true, false}), ExitCode::inconclusive);
  EXPECT_EQ(exit_code_of(report, {true, true}), ExitCode::unusable);
  report.findings.push_back(finding_with(Verdict::regression, "", ""));
  EXPECT_EQ(exit_code_of(report, {true, true}), ExitCode::regression);
  report.findings.push_back(finding_with(Verdict::crash, "", ""));
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::kernel_crash);
  report.findings.push_back(finding_with(Verdict::verify_fail, "", ""));
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::verification_failed);
  report.interrupted = true;
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::interrupted);
}

}  // namespace
}  // namespace fusetune
