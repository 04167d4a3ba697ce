#include "harness/report/gather.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/base/error.hpp"
#include "tests/report/report_fixture.hpp"
#include "tests/table/table_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Standing = TimedVariant::Standing;

TEST(Gather, RacesBecomeRowsAndStandings) {
  const Report report = gather_report(testing::source());
  ASSERT_THAT(report.devices, SizeIs(1));
  const ReportDevice& device = report.devices[0];
  EXPECT_EQ(device.name, "host-w64");
  EXPECT_EQ(device.target, "host-w64");
  ASSERT_THAT(device.geometries, SizeIs(1));
  const ReportGeometry& geometry = device.geometries[0];
  EXPECT_EQ(geometry.rows_symbol, "tokens");
  ASSERT_THAT(geometry.rows, SizeIs(2));
  EXPECT_EQ(geometry.rows[0].variant, testing::kRow);
  EXPECT_EQ(geometry.rows[1].variant, testing::kFlat);
  EXPECT_FALSE(geometry.rows[0].in_table);
  EXPECT_NEAR(geometry.rows[1].certificate.versus_baseline, 3, 1e-9);
  EXPECT_NEAR(geometry.rows[1].baseline_us(), 30, 0.1);
  const ReportCase& shown = geometry.cases[1];
  EXPECT_EQ(shown.rows, 16);
  EXPECT_GT(shown.read_bytes, 0);
  ASSERT_THAT(shown.timed, SizeIs(3));
  EXPECT_EQ(shown.timed[0].standing, Standing::chosen);
  EXPECT_EQ(shown.timed[1].standing, Standing::slower);
  EXPECT_NEAR(shown.timed[1].over_best, 2, 1e-9);
  EXPECT_TRUE(shown.timed[2].is_baseline);
  EXPECT_THAT(report.left_out, IsEmpty());
  EXPECT_EQ(report.as_of, "2026-01-31T12:00:00.000Z");
}

TEST(Gather, WhatNobodyBeatsIsADefault) {
  ReportSource source;
  source.steps = {testing::race_record(1, {testing::kRow, testing::kUnfused}, {3, 2})};
  const Report report = gather_report(source);
  const ReportRow& row = report.devices[0].geometries[0].rows[0];
  EXPECT_TRUE(row.is_default);
  EXPECT_EQ(row.variant, testing::kUnfused);
}

TEST(Gather, DroppedArmsHaveTheirProbeOnTheScaleOfTheRace) {
  ReportSource source;
  StepRecord step =
      testing::race_record(1, {testing::kRow, testing::kFlat, testing::kUnfused}, {2, 0, 3});
  step.data["result"]["probe_us"] = {4, 12, 6};  // everything twice as slow as in the race
  step.data["result"]["dropped"] = {1};
  source.steps = {step};
  const Report report = gather_report(source);
  const ReportCase& shown = report.devices[0].geometries[0].cases[0];
  ASSERT_THAT(shown.timed, SizeIs(3));
  EXPECT_EQ(shown.timed[2].key, testing::kFlat);
  EXPECT_EQ(shown.timed[2].standing, Standing::dropped);
  EXPECT_NEAR(shown.timed[2].us, 6, 0.02);
}

TEST(Gather, WhatASearchTriedIsShownOnTheScaleOfTheBaseline) {
  ReportSource source;
  StepRecord batch = testing::race_record(1, {testing::kFlat, testing::kUnfused}, {8, 6}, "batch");
  batch.kind = StepRecord::Kind::search;  // of another minute: everything twice as slow
  source.steps = {batch, testing::race_record(1, {testing::kRow, testing::kUnfused}, {2, 3})};
  const Report report = gather_report(source);
  const ReportCase& shown = report.devices[0].geometries[0].cases[0];
  ASSERT_THAT(shown.timed, SizeIs(3)) << "the baseline is there once";
  EXPECT_EQ(shown.timed[2].key, testing::kFlat);
  EXPECT_EQ(shown.timed[2].standing, Standing::searched);
  EXPECT_NEAR(shown.timed[2].us, 4, 0.02);
  EXPECT_THAT(report.devices[0].geometries[0].rows, SizeIs(1)) << "no row is made of it";
}

TEST(Gather, FailuresAreInClassesOnTheirTargets) {
  const Report report = gather_report(testing::source());
  ASSERT_THAT(report.failures, SizeIs(2));
  for (const FailureClass& one : report.failures) {
    ASSERT_THAT(one.members, SizeIs(1));
    const bool compiling = one.status == Status::compile_error;
    EXPECT_EQ(one.target, compiling ? "gfx90a" : "host-w64");
    EXPECT_EQ(one.members[0].step, compiling ? "compile" : "proof");
    EXPECT_EQ(one.members[0].message, testing::kHostile);
    EXPECT_THAT(one.members[0].record, HasSubstr(compiling ? "compile" : "proof"));
  }
  EXPECT_EQ(report.devices[0].geometries[0].fates.count(testing::kWide), 1U);
}

TEST(Gather, AFailureThatWasRepairedIsNone) {
  ReportSource source = testing::source();
  source.steps.push_back(testing::proof_record(testing::kWide, Status::ok, ""));
  const Report report = gather_report(source);
  ASSERT_THAT(report.failures, SizeIs(1));
  EXPECT_EQ(report.failures[0].target, "gfx90a");
}

TEST(Gather, FailuresAloneAreAReport) {
  ReportSource source;
  source.steps = {
      testing::compile_record(testing::kRow, "host-w64", Status::compiler_crash, "it died")};
  const Report report = gather_report(source);
  EXPECT_FALSE(report.empty());
  EXPECT_THAT(report.devices, IsEmpty());
  EXPECT_THAT(report.failures, SizeIs(1));
  EXPECT_TRUE(gather_report({}).empty());
}

TEST(Gather, FactsSayWhatIsChosenThere) {
  const Report report = gather_report(testing::source());
  ASSERT_THAT(report.facts, SizeIs(2));
  EXPECT_EQ(report.facts[0].target, "gfx90a");
  for (const FactsRow& row : report.facts[0].rows) EXPECT_FALSE(row.chosen) << row.variant;
  std::vector<std::string> chosen;
  for (const FactsRow& row : report.facts[1].rows)
    if (row.chosen) chosen.push_back(row.variant);
  EXPECT_THAT(chosen, ElementsAre(testing::kFlat, testing::kRow));
}

TEST(Gather, TheNewestRaceCountsAndOlderOnesAreSaid) {
  ReportSource source = testing::source();
  source.steps.push_back(testing::race_record(
      16, {testing::kRow, testing::kFlat, testing::kUnfused}, {10, 20, 30}, "later"));
  const Report report = gather_report(source);
  EXPECT_EQ(report.devices[0].geometries[0].rows[1].variant, testing::kRow);
  EXPECT_THAT(report.left_out, ElementsAre(HasSubstr("1 races are not shown: newer ones")));
}

TEST(Gather, RecordsOfUnknownNamesAreLeftOutAndSaid) {
  ReportSource source = testing::source();
  StepRecord odd = testing::race_record(16, {testing::kRow, testing::kUnfused}, {1, 2}, "odd");
  odd.subject = "no_such_family(tokens=1) | host-w64";
  source.steps.push_back(odd);
  const Report report = gather_report(source);
  EXPECT_THAT(report.left_out, ElementsAre(HasSubstr("no_such_family")));
  EXPECT_THAT(report.devices[0].geometries[0].rows, SizeIs(2));
}

TEST(Gather, ATableHasTheLastWordOnWhatIsChosen) {
  ReportSource source = testing::source();
  Table table = testing::table();
  std::erase_if(table.rows, [](const TableRow& row) { return row.rows_low != 0; });
  for (TableRow& row : table.rows) row.variant = parse_variant_key(*table.family, testing::kFlat);
  source.tables = {table};
  const Report report = gather_report(source);
  for (const ReportGeometry& geometry : report.devices[0].geometries) {
    if (geometry.key != testing::kGeometry) continue;
    ASSERT_THAT(geometry.rows, SizeIs(2));
    EXPECT_TRUE(geometry.rows[0].in_table);
    EXPECT_EQ(geometry.rows[0].tuned_at, 1);
    EXPECT_EQ(geometry.cases[0].chosen, testing::kFlat) << "the race alone would choose another";
    EXPECT_EQ(geometry.cases[0].timed[0].standing, Standing::tied);
    EXPECT_GT(geometry.rows[0].read_bytes, 0);
    return;
  }
  FAIL() << "the geometry is gone";
}

TEST(Gather, ADeviceIsKeptWithWhatNobodyElseHas) {
  Report report = gather_report(testing::source());
  keep_device("host-w64", report);
  EXPECT_THAT(report.facts, SizeIs(2)) << "gfx90a belongs to no other device";
  EXPECT_THROW(keep_device("host-w46", report), UserError);
}

}  // namespace
}  // namespace fusetune
