#include "harness/report/heat_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/report/gather.hpp"
#include "tests/report/report_fixture.hpp"

namespace fusetune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using CellKind = HeatCell::Kind;

class HeatMaps : public ::testing::Test {
 protected:
  Report report = gather_report(testing::source());
  ReportGeometry& geometry = report.devices[0].geometries[0];
  ReportCase& shown = geometry.cases[1];  // 16 tokens: flat is the fastest
};

TEST_F(HeatMaps, CellsHaveTheBestOfTheirValues) {
  const HeatMap map = heat_map(geometry, shown, "mapping", "block_size");
  EXPECT_THAT(map.x_values, ElementsAre("128", "256", "512")) << "as numbers, not as text";
  EXPECT_THAT(map.y_values, ElementsAre("flat", "row"));
  EXPECT_EQ(map.cell(0, 0).kind, CellKind::timed);
  EXPECT_NEAR(map.cell(0, 0).over_best, 1, 1e-9);
  EXPECT_NEAR(map.cell(1, 1).over_best, 2, 1e-9);
  EXPECT_EQ(map.cell(2, 0).kind, CellKind::failed);
  EXPECT_EQ(map.cell(2, 0).fate.status, Status::verification_failed);
  EXPECT_EQ(map.cell(0, 1).kind, CellKind::untried);
  EXPECT_EQ(map.baseline, "unfused, the baseline: 3.00") << "it is in no cell";
}

TEST_F(HeatMaps, AFailureBesideATimeIsCounted) {
  const HeatMap map = heat_map(geometry, shown, "mapping", "vector_bytes");
  const HeatCell& flat = map.cell(0, 0);
  EXPECT_EQ(flat.kind, CellKind::timed);
  EXPECT_EQ(flat.failed, 1);
  EXPECT_THAT(heat_map_picture(map, "t").element(), HasSubstr("some-failed"));
}

TEST_F(HeatMaps, WhatWasProvedAndNotRacedIsNeitherFailedNorUntried) {
  geometry.fates.clear();
  geometry.sound = {testing::kWide};
  EXPECT_EQ(heat_map(geometry, shown, "mapping", "block_size").cell(2, 0).kind, CellKind::unraced);
}

TEST_F(HeatMaps, TheAxesThatMatterLead) {
  // Of the timed ones block_size and mapping both tell 10 from 20; the others are constant.
  const auto [y_axis, x_axis] = leading_axes(geometry, shown);
  EXPECT_EQ(x_axis, "block_size");
  EXPECT_EQ(y_axis, "mapping");
  geometry.fates.clear();
  geometry.sound.clear();
  shown.timed.resize(1);
  EXPECT_EQ(leading_axes(geometry, shown).first, "") << "one variant has no axes";
}

TEST_F(HeatMaps, ThePictureShowsEveryClass) {
  const std::string picture =
      heat_map_picture(heat_map(geometry, shown, "mapping", "block_size"), "title").element();
  EXPECT_THAT(picture, HasSubstr(">1.00</text>"));
  EXPECT_THAT(picture, HasSubstr(">wrong</text>"));
  EXPECT_THAT(picture, HasSubstr("class=\"untried\""));
  EXPECT_THAT(picture, Not(HasSubstr(testing::kHostile))) << "the failure's message is in a tip";
  EXPECT_THAT(picture, HasSubstr("&lt;script&gt;"));
}

TEST_F(HeatMaps, TheScriptGetsTheSameCells) {
  const Json json = heat_map_json(geometry);
  const Json& second = json.at("cases").at(1);
  EXPECT_EQ(second.at("name"), "tokens=16");
  EXPECT_EQ(second.at("axes").at("block_size"), (Json{"128", "256", "512"}));
  EXPECT_FALSE(second.at("axes").contains("vector_bytes")) << "one value is no axis";
  ASSERT_EQ(second.at("variants").size(), 3U);
  EXPECT_EQ(second.at("variants").at(2).at("word"), "wrong");
}

TEST(FailureWords, EveryStatusHasOne) {
  for (int i = 1; i <= static_cast<int>(Status::skipped); ++i) {
    const std::string word = failure_word(static_cast<Status>(i));
    EXPECT_THAT(word, ::testing::AnyOf("compile", "wrong", "crash", "hang", "refused"));
  }
  EXPECT_EQ(failure_word(Status::kernel_timeout), "hang");
  EXPECT_EQ(failure_word(Status::race), "wrong");
}

}  // namespace
}  // namespace fusetune
