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

Json answer_of(const std::vector<ProofReport>& reports) {
  Json list = Json::array();
  for (const ProofReport& report : reports)
    list.push_back({{"case", "case " + std::to_string(list.size())}, {"report", to_json(report)}});
  return {{"reports", list}};
}

TEST(ProvedVariant, SumsUpItsCases) {
  const ProvedVariant proved =
      proved_from_answer(answer_of({report_of("exact"), report_of("exact"), report_of("fast")}));
  EXPECT_TRUE(proved.outcome.ok());
  EXPECT_EQ(proved.cases, 3);
  EXPECT_EQ(proved.exact_cases, 2);
  EXPECT_EQ(proved.modes(), "exact and fast");
  ASSERT_EQ(proved.checks.size(), 1u);
  EXPECT_EQ(proved.checks[0].comparisons, 30);
  ASSERT_EQ(proved.outputs.size(), 1u);
  EXPECT_EQ(proved.outputs[0].ulp_max, 1);
  EXPECT_THAT(proved.left_out, ElementsAre("runs on other schedules"));
  EXPECT_EQ(proved_from_answer(answer_of({report_of("exact")})).modes(), "exact");
  EXPECT_EQ(proved_from_answer(answer_of({report_of("fast")})).modes(), "fast");
}

TEST(ProvedVariant, EndsWithTheFirstFailureAndKeepsItsMap) {
  ProofReport wrong = report_of("exact");
  wrong.outcome = {Status::verification_failed, "y[3] is 2, the truth is 1"};
  wrong.failed_check = "values";
  wrong.mismatch_count = 1;
  wrong.mismatches = {{"y", 3, "y[3] is 2, the truth is 1"}};
  wrong.mismatch_map = "..#\n";
  const ProvedVariant proved =
      proved_from_answer(answer_of({report_of("exact"), wrong, report_of("fast")}));
  EXPECT_EQ(proved.outcome.status, Status::verification_failed);
  EXPECT_EQ(proved.failed_case, "case 1");
  EXPECT_EQ(proved.cases, 2);
  EXPECT_EQ(proved.mismatch_map, "..#\n");
}

TEST(ProvedVariant, NothingProvedIsNoSuccess) {
  const ProvedVariant proved = proved_from_answer(answer_of({}));
  EXPECT_EQ(proved.outcome.status, Status::verification_failed);
  EXPECT_EQ(proved.modes(), "");
}

Json batch_of(const std::string& failed) {
  BatchInvariance found;
  found.rows = 160;
  found.row_counts = {1, 65};
  found.bytes = 7;
  found.digest = "abc";
  return {
      {"case", "a batch"}, {"failed", failed}, {"message", "it hung"}, {"found", to_json(found)}};
}

TEST(ProvedVariant, KeepsWhatBatchesShowed) {
  Json answer = answer_of({report_of("fast")});
  EXPECT_FALSE(proved_from_answer(answer).batch);
  answer["batch"] = batch_of("");
  const ProvedVariant proved = proved_from_answer(answer);
  ASSERT_TRUE(proved.batch);
  EXPECT_TRUE(proved.outcome.ok());
  EXPECT_TRUE(proved.batch->qualifies());
  StepRecord step;
  step.data = Json::parse(data_of(proved).dump());
  EXPECT_EQ(data_of(proved_from_record(step)), data_of(proved));

  answer["batch"] = batch_of("launch_error");
  EXPECT_EQ(proved_from_answer(answer).outcome.status, Status::launch_error);
  EXPECT_EQ(proved_from_answer(answer).failed_case, "a batch");
}

TEST(ProvedVariant, SurvivesItsRecord) {
  ProofReport wrong = report_of("fast");
  wrong.outcome = {Status::race, "race"};
  wrong.failed_check = "launch";
  wrong.mismatch_count = 1;
  wrong.mismatches = {{"", 0, "race"}};
  wrong.mismatch_map = "#\n";
  const ProvedVariant proved = proved_from_answer(answer_of({report_of("exact"), wrong}));
  StepRecord step;
  step.status = proved.outcome.status;
  step.message = proved.outcome.message;
  step.data = Json::parse(data_of(proved).dump());
  const ProvedVariant again = proved_from_record(step);
  EXPECT_EQ(again.outcome.status, Status::race);
  EXPECT_EQ(again.outcome.message, "race");
  EXPECT_EQ(again.exact_cases, 1);
  EXPECT_EQ(data_of(again), data_of(proved));
}

}  // namespace
}  // namespace fusetune::test
