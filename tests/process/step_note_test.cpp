// What a worker notes: read back, told of the dead, and the limit of a step.

#include <gmock/gmock.h>
#include <unistd.h>

#include <limits>
#include <optional>

#include "harness/base/temporary_folder.hpp"
#include "harness/process/step_note.hpp"
#include "tests/process/pool_helpers.hpp"

namespace fusetune {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::Optional;
using How = JobEnd::How;

TEST(NotePage, SaysInOneMappingWhatWasWrittenInAnother) {
  const NotePage mine;
  NotePage other(::dup(mine.fd()));
  EXPECT_FALSE(mine.read());
  const auto before = std::chrono::steady_clock::now();
  other.write(42, microseconds(7));
  const std::optional<StepNote> note = mine.read();
  ASSERT_TRUE(note);
  EXPECT_EQ(note->subject, 42);
  EXPECT_EQ(note->expected, microseconds(7));
  EXPECT_GE(note->since, before);
  EXPECT_LE(note->since, std::chrono::steady_clock::now());
  other.clear();
  EXPECT_FALSE(mine.read());
}

TEST(NotePage, KnowsTheSlowestOfTheStepsThatEnded) {
  NotePage page;
  page.write(0, std::chrono::microseconds(0));
  EXPECT_EQ(page.slowest_step().count(), 0);
  std::this_thread::sleep_for(milliseconds(20));
  page.write(1, std::chrono::microseconds(0));
  page.end_step();
  EXPECT_GE(page.slowest_step(), milliseconds(20));
  EXPECT_THAT(page.read()->subject, 1);
  page.clear();
  EXPECT_EQ(page.slowest_step().count(), 0);
}

TEST(NotePage, RestingIsNoStep) {
  NotePage page;
  page.rest(3, std::chrono::minutes(1));
  EXPECT_TRUE(page.read()->resting);
  EXPECT_EQ(page.read()->subject, 3);
  std::this_thread::sleep_for(milliseconds(20));
  page.write(4, microseconds(0));
  EXPECT_FALSE(page.read()->resting);
  page.rest(5, std::chrono::minutes(1));
  EXPECT_LT(page.slowest_step(), milliseconds(20));
  page.clear();
  EXPECT_FALSE(page.read());
}

TEST(NotePage, WhateverWasWrittenHasTimesToReckonWith) {
  NotePage page;
  page.write(1, microseconds(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(page.read()->expected, std::chrono::hours(24));
  page.write(1, microseconds(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(page.read()->expected, microseconds(0));
}

TEST(NotePage, CountsGoWithTheNote) {
  const NotePage mine;
  NotePage other(::dup(mine.fd()));
  other.write(1, microseconds(0));
  other.count(7, 3);
  EXPECT_EQ(mine.read()->done, 7);
  EXPECT_EQ(mine.read()->left, 3);
  other.count(-1, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(mine.read()->done, 0);
  EXPECT_EQ(mine.read()->left, 0);
  other.count(7, 3);
  other.clear();
  other.write(2, microseconds(0));
  EXPECT_EQ(mine.read()->done, 0) << "that was another job";
}

TEST(NotePage, CannotBeCutUnderItsReader) {
  const NotePage page;
  EXPECT_NE(::ftruncate(page.fd(), 0), 0);
}

/// One job whose worker makes notes; without them the test would not end in its time.
JobEnd run_noting(WorkerPool& pool, const Json& request, milliseconds noted_limit,
                  milliseconds floor = milliseconds(0)) {
  JobEnd result;
  Job job;
  job.request = request;
  job.limit = minutes(10);
  job.noted_limit = noted_limit;
  job.limit_floor = floor;
  job.done = [&](const JobEnd& end) { result = end; };
  pool.submit(std::move(job));
  pool.run(never);
  return result;
}

TEST(NotedSteps, AHangIsEndedAndItsSubjectKnown) {
  WorkerPool pool(options(1));
  const JobEnd end = run_noting(
      pool, {{"act", "note"}, {"first", 5}, {"steps", 3}, {"then", "hang"}}, milliseconds(300));
  EXPECT_EQ(end.how, How::timed_out);
  EXPECT_THAT(end.noted, Optional(7));
  EXPECT_EQ(end.limit, milliseconds(300));
}

TEST(NotedSteps, OfWhichSomethingIsExpectedHaveALimitByThat) {
  WorkerPool pool(options(1));
  Json request = {{"act", "note"}, {"steps", 1}, {"then", "hang"}, {"expected_ms", 50}};
  EXPECT_EQ(run_noting(pool, request, minutes(5), milliseconds(200)).limit, milliseconds(500));
  request["expected_ms"] = 1;
  EXPECT_EQ(run_noting(pool, request, minutes(5), milliseconds(200)).limit, milliseconds(200));
}

TEST(NotedSteps, EachHasTheWholeLimit) {
  WorkerPool pool(options(1));
  const JobEnd end =
      run_noting(pool, {{"act", "note"}, {"steps", 30}, {"step_ms", 50}, {"then", "answer"}},
                 milliseconds(1000));
  EXPECT_EQ(end.how, How::answered);
}

TEST(NotedSteps, RestingBetweenThemHasALimitOfItsOwn) {
  WorkerPool pool(options(1));
  const Json request = {{"act", "note"},          {"first", 5},      {"steps", 2}, {"rest_ms", 600},
                        {"rest_limit_ms", 60000}, {"then", "answer"}};
  EXPECT_EQ(run_noting(pool, request, milliseconds(200)).how, How::answered);
  Json hangs = request;
  hangs["then"] = "hang";
  hangs["rest_limit_ms"] = 1500;
  const JobEnd end = run_noting(pool, hangs, minutes(5));
  EXPECT_EQ(end.how, How::timed_out);
  EXPECT_EQ(end.limit, milliseconds(1500));
  EXPECT_THAT(end.noted, Optional(6));
}

TEST(NotedSteps, AreToldWhileTheJobRuns) {
  WorkerPool pool(options(1));
  std::vector<StepNote> told;
  Job job;
  job.request = {{"act", "note"}, {"first", 5}, {"steps", 3}, {"step_ms", 300}, {"then", "answer"}};
  job.on_note = [&](const StepNote& note) { told.push_back(note); };
  job.done = [](const JobEnd&) {};
  pool.submit(std::move(job));
  pool.run(never);
  ASSERT_FALSE(told.empty());
  std::int64_t last = 0;
  for (const StepNote& note : told) {
    // What is read may be half of the next note.
    EXPECT_GE(note.done, last);
    EXPECT_LE(note.left, 3);
    last = note.done;
  }
  EXPECT_GT(last, 0) << "it looks several times a second";
}

TEST(NotedSteps, WithoutEndPassTheLimitOfTheirJob) {
  WorkerPool pool(options(1));
  Job job;
  job.request = {{"act", "note"}, {"steps", 1000}, {"step_ms", 50}, {"then", "answer"}};
  job.limit = milliseconds(600);
  job.noted_limit = minutes(5);
  JobEnd result;
  job.done = [&](const JobEnd& end) { result = end; };
  pool.submit(std::move(job));
  pool.run(never);
  EXPECT_EQ(result.how, How::timed_out);
  EXPECT_EQ(result.limit, milliseconds(600));
}

TEST(NotedSteps, HaveALimitByWhatOthersOfTheirKindTook) {
  for (const bool in_another_job : {true, false}) {
    WorkerPool pool(options(1));
    std::vector<JobEnd> ends;
    const auto submit = [&](int steps, const char* then) {
      Job job;
      job.request = {{"act", "note"}, {"steps", steps}, {"step_ms", 60}, {"then", then}};
      job.limit = minutes(10);  // the test would not end
      job.noted_limit = minutes(5);
      job.limit_floor = milliseconds(400);
      job.kind = "case";
      job.done = [&](const JobEnd& end) { ends.push_back(end); };
      pool.submit(std::move(job));
      pool.run(never);
    };
    if (in_another_job) submit(3, "answer");
    submit(in_another_job ? 1 : 3, "hang");
    EXPECT_EQ(ends.back().how, How::timed_out);
    EXPECT_GE(ends.back().limit, milliseconds(600));
    EXPECT_LT(ends.back().limit, minutes(1));
  }
}

TEST(NotedSteps, ADeathIsBlamedOnTheNoteOfItsOwnJob) {
  WorkerPool pool(options(1));
  run_noting(pool, {{"act", "note"}, {"first", 9}, {"steps", 1}, {"then", "answer"}}, minutes(5));
  EXPECT_FALSE(run_noting(pool, {{"act", "abort"}}, minutes(5)).noted);
  EXPECT_THAT(
      run_noting(pool, {{"act", "note"}, {"first", 4}, {"steps", 1}, {"then", "abort"}}, minutes(5))
          .noted,
      Optional(4));
}

TEST(NotedSteps, HaveNoLimitWhereTheJobGivesNone) {
  WorkerPool pool(options(1));
  const JobEnd end = run_noting(
      pool, {{"act", "note"}, {"steps", 1}, {"step_ms", 300}, {"then", "answer"}}, milliseconds(0));
  EXPECT_EQ(end.how, How::answered);
}

class SecondTry : public testing::Test {
 protected:
  /// Beside a job of the same pool that takes a while.
  void run(const Json& request, milliseconds noted_limit = milliseconds(0)) {
    WorkerPoolOptions two = options(2);
    two.on_death = [this](const Job&, const JobEnd&) { ++deaths_; };
    WorkerPool pool(two);
    Job job;
    job.request = request;
    job.limit = milliseconds(2000);
    job.noted_limit = noted_limit;
    job.second_try = true;
    job.done = [this](const JobEnd& end) {
      ends_.push_back(end);
      alone_ = other_ended_;
    };
    pool.submit(job);
    Job other;
    other.request = {{"act", "sleep"}, {"duration_ms", 600}};
    other.done = [this](const JobEnd&) { other_ended_ = true; };
    pool.submit(other);
    pool.run(never);
  }

  TemporaryFolder folder_{"fusetune-second"};
  std::vector<JobEnd> ends_;
  int deaths_ = 0;
  bool other_ended_ = false, alone_ = false;
};

TEST_F(SecondTry, AWorkerThatDiedOnceIsNoFailureOfItsJob) {
  run({{"act", "once"}, {"marker", (folder_ / "marker").string()}, {"then", "abort"}});
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_EQ(ends_[0].how, How::answered);
  EXPECT_EQ(deaths_, 1);
  EXPECT_TRUE(alone_);
}

TEST_F(SecondTry, IsTheLast) {
  run({{"act", "abort"}});
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_EQ(ends_[0].how, How::died);
  EXPECT_EQ(deaths_, 2);
}

TEST_F(SecondTry, HasMorePatience) {
  run({{"act", "note"}, {"steps", 1}, {"then", "hang"}, {"expected_ms", 1}}, milliseconds(100));
  ASSERT_EQ(ends_.size(), 1U);
  EXPECT_EQ(ends_[0].how, How::timed_out);
  EXPECT_EQ(ends_[0].limit, milliseconds(100) * kSecondTryPatience);
  EXPECT_EQ(deaths_, 2);
}

}  // namespace
}  // namespace fusetune
