#include "harness/tune/proved_variant.hpp"

#include <gmock/gmock.h>

namespace fusetune::test {
namespace {

using testing::ElementsAre;

ProofReport report_of(const std::string& mode) {
  ProofReport report;
  report.mode = mode;
  report.checks = {{"values", 10, "elements"}};
  OutputMetrics output;
  output.tensor = "y";
  output.rule = "ulp <= 1";
  output.ulp_max = mode == "exact" ? 1 : 0.5;
  output.worst = "y[0]";
  report.outputs = {output};
  report.skipped = {"runs on other schedules"};
  return report;
}

ProofSum sum_of(const std::vector<ProofReport>& reports) {
  ProofSum sum;
  for (std::size_t i = 0; i < reports.size() && sum.ok(); ++i)
    sum.add("case " + std::to_string(i), reports[i]);
  return sum;
}

ProvedVariant proved(const std::vector<ProofReport>& reports) { return sum_of(reports).take(); }

TEST(ProvedVariant, SumsUpItsCases) {
  const ProvedVariant all = proved({report_of("exact"), report_of("exact"), report_of("fast")});
  EXPECT_TRUE(all.outcome.ok());
  EXPECT_EQ(all.cases, 3);
  EXPECT_EQ(all.exact_cases, 2);
  EXPECT_EQ(all.modes(), "exact and fast");
  ASSERT_EQ(all.checks.size(), 1u);
  EXPECT_EQ(all.checks[0].comparisons, 30);
  ASSERT_EQ(all.outputs.size(), 1u);
  EXPECT_EQ(all.outputs[0].ulp_max, 1);
  EXPECT_THAT(all.left_out, ElementsAre("runs on other schedules"));
  EXPECT_EQ(proved({report_of("exact")}).modes(), "exact");
  EXPECT_EQ(proved({report_of("fast")}).modes(), "fast");
}

TEST(ProvedVariant, EndsWithTheFirstFailureAndKeepsItsMap) {
  ProofReport wrong = report_of("exact");
  wrong.outcome = {Status::verification_failed, "y[3] is 2, the truth is 1"};
  wrong.failed_check = "values";
  wrong.mismatch_count = 1;
  wrong.mismatches = {{"y", 3, "y[3] is 2, the truth is 1"}};
  wrong.mismatch_map = "..#\n";
  const ProvedVariant failed = proved({report_of("exact"), wrong, report_of("fast")});
  EXPECT_EQ(failed.outcome.status, Status::verification_failed);
  EXPECT_EQ(failed.failed_case, "case 1");
  EXPECT_EQ(failed.cases, 2);
  EXPECT_EQ(failed.mismatch_map, "..#\n");
}

TEST(ProvedVariant, NothingProvedIsNoSuccess) {
  EXPECT_EQ(proved({}).outcome.status, Status::verification_failed);
  EXPECT_EQ(proved({}).modes(), "");
}

BatchInvariance batch() {
  BatchInvariance found;
  found.rows = 160;
  found.row_counts = {1, 65};
  found.bytes = 7;
  found.digest = "abc";
  return found;
}

TEST(ProvedVariant, KeepsWhatBatchesShowed) {
  ProofSum sum = sum_of({report_of("fast")});
  sum.add_batches("a batch", {}, batch());
  const ProvedVariant right = sum.take();
  ASSERT_TRUE(right.batch);
  EXPECT_TRUE(right.outcome.ok());
  EXPECT_TRUE(right.batch->qualifies());
  StepRecord step;
  step.data = Json::parse(data_of(right).dump());
  EXPECT_EQ(data_of(proved_from_record(step)), data_of(right));

  sum = sum_of({report_of("fast")});
  sum.add_batches("a batch", {Status::launch_error, "it hung"}, batch());
  const ProvedVariant failed = sum.take();
  EXPECT_EQ(failed.outcome.status, Status::launch_error);
  EXPECT_EQ(failed.outcome.message, "it hung");
  EXPECT_EQ(failed.failed_case, "a batch");
}

TEST(ProvedVariant, SurvivesItsRecordAndItsAnswer) {
  ProofReport wrong = report_of("fast");
  wrong.outcome = {Status::race, "race"};
  wrong.failed_check = "launch";
  wrong.mismatch_count = 1;
  wrong.mismatches = {{"", 0, "race"}};
  wrong.mismatch_map = "#\n";
  const ProvedVariant failed = proved({report_of("exact"), wrong});
  StepRecord step;
  step.status = failed.outcome.status;
  step.message = failed.outcome.message;
  step.data = Json::parse(data_of(failed).dump());
  const Json answer = Json::parse(answer_of(failed).dump());
  for (const ProvedVariant& again : {proved_from_record(step), proved_from_answer(answer)}) {
    EXPECT_EQ(again.outcome.status, Status::race);
    EXPECT_EQ(again.outcome.message, "race");
    EXPECT_EQ(again.exact_cases, 1);
    EXPECT_EQ(data_of(again), data_of(failed));
  }
}

}  // namespace
}  // namespace fusetune::test
