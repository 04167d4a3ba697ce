#include "harness/tune/race_choice.hpp"

#include <gmock/gmock.h>

#include "harness/tune/case_plan.hpp"

namespace fusetune::test {
namespace {

using ::testing::HasSubstr;

/// One geometry at two row counts with the baseline as arm 0 and three variants, of which the last
/// two give equal bits.
class RaceChoiceTest : public ::testing::Test {
 protected:
  RaceChoiceTest() {
    plan_ = plan_of_cases({parse_case_key("split_reshape_cat(nk=2,nv=4,tokens=1)"),
                           parse_case_key("split_reshape_cat(nk=2,nv=4,tokens=128)")},
                          parse_space("4"), "host-w64");
    const PlannedGeometry& geometry = plan_.geometries.front();
    for (std::size_t v = 0; v < geometry.variants.size(); ++v)
      if (geometry.variants[v].implementation == "unfused") arms_.push_back(v);
    for (std::size_t v = 0; arms_.size() < 4; ++v)
      if (geometry.variants[v].implementation == "fused") arms_.push_back(v);
  }

  CaseRace race(std::size_t planned_case, const std::vector<double>& us) const {
    CaseRace race;
    race.planned_case = planned_case;
    race.arms = arms_;
    race.classes = {"", "a", "b", "b"};
    race.result.outcome = {};
    for (std::size_t arm = 0; arm < us.size(); ++arm)
      for (std::int32_t epoch = 0; us[arm] > 0 && epoch < 3; ++epoch)
        for (std::int32_t round = 0; round < 3; ++round)
          race.result.samples.push_back(
              {static_cast<std::int32_t>(arm), epoch, round, 10, us[arm]});
    return race;
  }

  std::vector<CaseRace> chosen(const std::vector<double>& us_of_one,
                               const std::vector<double>& us_of_many) {
    std::vector<CaseRace> races{race(0, us_of_one), race(1, us_of_many)};
    choose_winners(plan_, {}, {}, races);
    return races;
  }

  Plan plan_;
  std::vector<std::size_t> arms_;
};

TEST_F(RaceChoiceTest, WithoutBatchInvarianceEachCaseHasItsOwn) {
  const auto races = chosen({9, 1, 2, 3}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].choice.arm, 1);
  EXPECT_EQ(races[1].choice.arm, 3);
  EXPECT_EQ(races[0].batch_class, "");
}

TEST_F(RaceChoiceTest, RowCountsShareAKernelThatCostsNextToNothing) {
  auto races = chosen({9, 1, 2, 1.008}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].choice.arm, 3);
  EXPECT_EQ(races[1].choice.arm, 3);
  EXPECT_EQ(races[0].choice.instead_of, 1);
  EXPECT_EQ(races[1].choice.instead_of, -1);
  EXPECT_NEAR(races[0].choice.regret, 0.008, 1e-9);
  EXPECT_THAT(races[0].choice.reason, HasSubstr("serves other row counts"));
  EXPECT_EQ(races[1].choice.regret, 0);
  races = chosen({9, 1, 2, 1.012}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].choice.arm, 1) << "1.2 % is too much";
}

TEST_F(RaceChoiceTest, ThenAllAreOfTheClassThatIsFastestOverAll) {
  plan_.geometries.front().batch_invariant = true;
  auto races = chosen({9, 1, 2, 3}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].batch_class, "b");
  EXPECT_EQ(races[0].choice.arm, 2) << "2 + 20 is less than 1 + 30";
  EXPECT_EQ(races[1].choice.arm, 3);
  // By weight.
  plan_.geometries.front().cases[0].weight = 100;
  races = chosen({9, 1, 2, 3}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].batch_class, "a");
  EXPECT_EQ(races[1].choice.arm, 1);
}

TEST_F(RaceChoiceTest, ABaselineWithOtherBitsIsNoDefault) {
  plan_.geometries.front().batch_invariant = true;
  const auto races = chosen({1, 2, 3, 4}, {10, 30, 40, 50});
  EXPECT_FALSE(races[0].choice.is_default);
  EXPECT_EQ(races[0].choice.arm, 1);
  EXPECT_NEAR(races[0].choice.verdict(1).over_baseline.mid, 0.5, 1e-9);
}

TEST_F(RaceChoiceTest, AClassThatServesAllCasesIsPreferred) {
  plan_.geometries.front().batch_invariant = true;
  const auto races = chosen({9, 8, 1, 1}, {90, 80, 0, 0});
  EXPECT_EQ(races[0].batch_class, "a");
  EXPECT_EQ(races[1].choice.arm, 1);
}

TEST_F(RaceChoiceTest, WithoutTheBaselineThereIsNoRow) {
  const auto races = chosen({0, 1, 2, 3}, {90, 30, 40, 20});
  EXPECT_EQ(races[0].result.outcome.status, Status::skipped);
  EXPECT_THAT(races[0].result.outcome.message, HasSubstr("no row without it"));
  EXPECT_TRUE(races[1].result.outcome.ok());
}

}  // namespace
}  // namespace fusetune::test
