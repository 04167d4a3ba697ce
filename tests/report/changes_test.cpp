#include "harness/report/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/report/gather.hpp"
#include "tests/report/report_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ChangeKind = RowChange::Kind;

Report report_of(std::vector<StepRecord> steps) {
  ReportSource source;
  source.steps = std::move(steps);
  return gather_report(source);
}

const std::vector<std::string> kArms{testing::kRow, testing::kFlat, testing::kUnfused};

TEST(Changes, AnotherVariantComesFirst) {
  Report report = report_of(
      {testing::race_record(1, kArms, {2, 4, 9}), testing::race_record(16, kArms, {20, 10, 90})});
  const Report other = report_of(
      {testing::race_record(1, kArms, {2, 4, 9}), testing::race_record(16, kArms, {10, 20, 90})});
  compare_reports(other, "old", report);
  ASSERT_TRUE(report.devices[0].changes);
  const auto& rows = report.devices[0].changes->rows;
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].kind, ChangeKind::other_variant);
  EXPECT_EQ(rows[0].tuned_at, 16);
  EXPECT_EQ(rows[0].variant_here, testing::kFlat);
  EXPECT_EQ(rows[0].variant_there, testing::kRow);
  EXPECT_EQ(rows[1].kind, ChangeKind::same);
  EXPECT_FALSE(rows[1].apart);
}

TEST(Changes, RowsOfOneSideAndTimesApartAreSeen) {
  Report report = report_of(
      {testing::race_record(1, kArms, {2, 4, 9}), testing::race_record(16, kArms, {20, 10, 90})});
  const Report other = report_of(
      {testing::race_record(1, kArms, {3, 6, 14}), testing::race_record(128, kArms, {9, 8, 90})});
  compare_reports(other, "old", report);
  const auto& rows = report.devices[0].changes->rows;
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0].kind, ChangeKind::only_here);
  EXPECT_EQ(rows[1].kind, ChangeKind::only_there);
  EXPECT_EQ(rows[1].tuned_at, 128);
  EXPECT_TRUE(rows[2].apart);
}

TEST(Changes, ADeviceOfOneSideIsSaid) {
  Report report = report_of({testing::race_record(1, kArms, {2, 4, 9})});
  compare_reports({}, "old", report);
  EXPECT_FALSE(report.devices[0].changes);
  EXPECT_THAT(report.left_out, ::testing::ElementsAre(HasSubstr("old has no rows of host-w64")));
}

TEST(Changes, OtherConditionsAreSaid) {
  Report report = report_of({testing::race_record(1, kArms, {2, 4, 9})});
  StepRecord elsewhere = testing::race_record(1, kArms, {2, 4, 9});
  elsewhere.data["provenance"]["conditions"] = {{"cpu_model", "another"}};
  compare_reports(report_of({elsewhere}), "old", report);
  EXPECT_FALSE(report.devices[0].changes->same_conditions);
}

}  // namespace
}  // namespace fusetune
