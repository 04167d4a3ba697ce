// The order in which waiting jobs are begun.

#include "harness/process/job_queue.hpp"

#include <gmock/gmock.h>

namespace fusetune {
namespace {

using testing::ElementsAre;

Job job(const std::string& name, const std::string& kind = "", double expected_ms = 0,
        double follow_ms = 0) {
  Job one;
  one.request = name;
  one.kind = kind;
  one.expected_ms = expected_ms;
  one.follow_ms = follow_ms;
  return one;
}

std::vector<std::string> take_all(JobQueue& queue, Company company = Company::any) {
  std::vector<std::string> names;
  while (const auto next = queue.take(company)) names.push_back(next->request);
  return names;
}

TEST(JobQueue, JobsThatSayNothingKeepTheirOrder) {
  JobQueue queue;
  for (const char* name : {"a", "b", "c"}) queue.push(job(name));
  queue.saw("", 1000);
  EXPECT_THAT(take_all(queue), ElementsAre("a", "b", "c"));
}

TEST(JobQueue, LongestFirstAndEqualsInOrder) {
  JobQueue queue;
  queue.push(job("short 1", "short", 10));
  queue.push(job("long 1", "long", 50));
  queue.push(job("as long", "other", 50));
  queue.push(job("short 2", "short", 10));
  queue.push(job("long 2", "long", 50));
  EXPECT_THAT(take_all(queue), ElementsAre("long 1", "as long", "long 2", "short 1", "short 2"));
}

TEST(JobQueue, WhatWasSeenBeatsWhatWasExpected) {
  JobQueue queue;
  queue.push(job("a", "fused", 10));
  queue.push(job("b", "unfused", 50));
  queue.saw("fused", 100);
  queue.saw("fused", 80);
  EXPECT_THAT(take_all(queue), ElementsAre("a", "b"));
  queue.push(job("a", "fused", 10));
  queue.push(job("b", "unfused", 50));
  queue.saw("unfused", 91);  // against a mean of 90
  EXPECT_THAT(take_all(queue), ElementsAre("b", "a"));
}

TEST(JobQueue, AKindStaysWithItsWorkerWhereItAsksForThat) {
  JobQueue queue;
  const auto push = [&queue](const std::string& name, const std::string& kind, double ms) {
    Job one = job(name, kind, ms);
    one.stays = true;
    queue.push(std::move(one));
  };
  push("a1", "a", 30);
  push("b1", "b", 20);
  push("c1", "c", 10);
  push("c2", "c", 10);
  EXPECT_EQ(queue.take(Company::any, "c", {"a"})->request, "c1") << "its own, if short";
  EXPECT_EQ(queue.take(Company::any, "", {"a", "c"})->request, "b1") << "nobody's";
  EXPECT_EQ(queue.take(Company::any, "", {"a", "c"})->request, "a1") << "the longest of others";
  queue.push(job("goes anywhere", "x", 5));
  EXPECT_EQ(queue.take(Company::any, "", {"c", "x"})->request, "goes anywhere");
}

TEST(JobQueue, WhatFollowsCounts) {
  JobQueue queue;
  queue.push(job("for a table", "gfx", 250));
  queue.push(job("to be proved", "host", 180, 700));
  EXPECT_THAT(take_all(queue), ElementsAre("to be proved", "for a table"));
}

TEST(JobQueue, JobsThatRunAloneWaitApart) {
  JobQueue queue;
  Job one = job("alone", "long", 1000);
  one.company = Company::none;
  queue.push(one);
  queue.push(job("beside others"));
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_THAT(take_all(queue), ElementsAre("beside others"));
  EXPECT_TRUE(queue.has(Company::none));
  EXPECT_THAT(take_all(queue, Company::none), ElementsAre("alone"));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(JobQueue, EachCompanyHasItsTurn) {
  JobQueue queue;
  for (const Company company : {Company::none, Company::other_pools, Company::any}) {
    Job one = job(std::to_string(static_cast<int>(company)));
    one.company = company;
    queue.push(one);
    queue.put_back(*queue.take(company));
    EXPECT_TRUE(queue.has(company));
  }
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_THAT(take_all(queue), ElementsAre("0"));
  EXPECT_THAT(take_all(queue, Company::other_pools), ElementsAre("1"));
  EXPECT_THAT(take_all(queue, Company::none), ElementsAre("2"));
}

TEST(JobQueue, WhatIsPutBackComesFirst) {
  JobQueue queue;
  queue.push(job("a", "long", 50));
  queue.push(job("b", "long", 50));
  queue.put_back(*queue.take(Company::any));
  EXPECT_THAT(take_all(queue), ElementsAre("a", "b"));
}

TEST(JobQueue, SlowestStepIsOfItsKind) {
  JobQueue queue;
  queue.saw_step("a", 5);
  queue.saw_step("a", 3);
  EXPECT_EQ(queue.slowest_step_ms("a"), 5);
  EXPECT_EQ(queue.slowest_step_ms("b"), 0);
}

}  // namespace
}  // namespace fusetune
