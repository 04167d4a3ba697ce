#include "harness/tune/audit.hpp"

#include <gmock/gmock.h>

namespace fusetune {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Two arms, four epochs of three rounds; `factor` on the second arm's times.
RaceResult audited_race(double factor) {
  RaceResult race;
  for (std::int32_t epoch = 0; epoch < 4; ++epoch)
    for (std::int32_t round = 0; round < 3; ++round) {
      const double noise = 1 + 0.01 * epoch - 0.005 * round;
      race.samples.push_back({0, epoch, round, 10, 5.0 * noise});
      race.samples.push_back({1, epoch, round, 10, 8.0 * noise * factor});
    }
  return race;
}

TEST(Audit, TimesWithinNoiseAgree) {
  EXPECT_THAT(race_differences(audited_race(1), audited_race(1), {"a", "b"}), IsEmpty());
  EXPECT_THAT(race_differences(audited_race(1), audited_race(1.08), {"a", "b"}), IsEmpty());
}

TEST(Audit, ATimeBeyondNoiseIsNamedEitherWay) {
  for (const double factor : {0.7, 1.4})
    EXPECT_THAT(race_differences(audited_race(1), audited_race(factor), {"a", "b"}),
                ElementsAre(AllOf(HasSubstr("b: recorded are 8."), HasSubstr("now it takes"))));
}

TEST(Audit, ArmsThatOneRaceDroppedAreNotCompared) {
  RaceResult fresh = audited_race(3);
  std::erase_if(fresh.samples, [](const Sample& sample) { return sample.arm == 1; });
  EXPECT_THAT(race_differences(audited_race(1), fresh, {"a", "b"}), IsEmpty());
}

TEST(Audit, AWrongVerdictWeighsMoreThanAWrongTime) {
  AuditReport report;
  EXPECT_EQ(report.exit_code(), ExitCode::pass);
  report.findings.push_back({StepRecord::Kind::race, "k", "s", "w"});
  EXPECT_EQ(report.exit_code(), ExitCode::inconclusive);
  report.findings.push_back({StepRecord::Kind::proof, "k", "s", "w"});
  EXPECT_EQ(report.exit_code(), ExitCode::verification_failed);
}

}  // namespace
}  // namespace fusetune
