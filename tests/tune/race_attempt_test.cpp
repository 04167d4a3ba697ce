// Races that go on without the arms that failed in them.

#include <gmock/gmock.h>

#include "harness/tune/race_attempt.hpp"
#include "harness/tune/race_notes.hpp"

namespace fusetune {
namespace {

using testing::ElementsAre;

TEST(RaceAttempt, TellsArmsInTheNumbersOfTheWholeRace) {
  RaceAttempt attempt(5);
  attempt.leave_out(1, {Status::kernel_fault, "first"});
  attempt.leave_out(2, {Status::kernel_timeout, "second"});  // of 0, 2, 3, 4
  EXPECT_THAT(attempt.arms(), ElementsAre(0, 2, 4));

  RaceOptions options;
  options.keep = {3, 4};
  options.groups = {7, 8, 7, 9, 9};
  const RaceOptions among = attempt.among(options);
  EXPECT_THAT(among.keep, ElementsAre(2));
  EXPECT_THAT(among.groups, ElementsAre(7, 7, 9));

  RaceResult result;
  result.samples = {{2, 0, 0, 1, 5.0}, {1, 0, 0, 1, 6.0}};
  result.dropped = {0};
  result.eliminated = {{1, 4}};
  result.probe_us = {1, 2, 3};
  result.disproved = {{1, {Status::verification_failed, "after"}}};
  const RaceResult told = attempt.told_of_all(result);
  EXPECT_EQ(told.samples[0].arm, 4);
  EXPECT_EQ(told.samples[1].arm, 2);
  EXPECT_THAT(told.dropped, ElementsAre(0));
  ASSERT_EQ(told.eliminated.size(), 1U);
  EXPECT_EQ(told.eliminated[0].arm, 2);
  EXPECT_THAT(told.probe_us, ElementsAre(1, 0, 2, 0, 3));
  ASSERT_EQ(told.disproved.size(), 3U);
  EXPECT_EQ(told.disproved[0].arm, 1);
  EXPECT_EQ(told.disproved[0].outcome.message, "first");
  EXPECT_EQ(told.disproved[1].arm, 3);
  EXPECT_EQ(told.disproved[2].arm, 2);
}

TEST(RaceAttempt, LooksCloserWhereTwoMayBeToBlame) {
  RaceAttempt attempt(2);
  EXPECT_FALSE(attempt.among({}).one_by_one);
  attempt.look_closer();
  EXPECT_TRUE(attempt.among({}).one_by_one);
  EXPECT_THAT(attempt.arms(), ElementsAre(0, 1));
}

TEST(RaceMoment, IsKnownByItsSubject) {
  for (const RaceMoment moment : {RaceMoment{0, false}, RaceMoment{3, true}}) {
    const auto again = RaceMoment::from_subject(moment.subject(), 4);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->arm, moment.arm);
    EXPECT_EQ(again->after_timing, moment.after_timing);
  }
}

TEST(RaceMoment, WhatNoRaceWroteBlamesNobody) {
  for (const std::int64_t subject : {std::int64_t{-1}, std::int64_t{8}, INT64_MAX, INT64_MIN})
    EXPECT_FALSE(RaceMoment::from_subject(subject, 4)) << subject;
}

}  // namespace
}  // namespace fusetune
