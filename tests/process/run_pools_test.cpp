// Several pools in one loop: what runs beside what, and in which order.

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "harness/base/temporary_folder.hpp"
#include "tests/process/pool_helpers.hpp"

namespace fusetune {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSubsetOf;
using How = JobEnd::How;

/// What the workers wrote of when they began and ended: "begin a", "end a", ...
class EventLog {
 public:
  std::string file() const { return folder_ / "log"; }

  Job job(const std::string& name, const std::string& until = "", int duration_ms = 0) const {
    Job one;
    one.request = {{"act", "log"},
                   {"log", file()},
                   {"name", name},
                   {"until", until},
                   {"duration_ms", duration_ms}};
    return one;
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> list;
    std::ifstream stream(file());
    for (std::string line; std::getline(stream, line);) list.push_back(line);
    return list;
  }

  /// Jobs that ran at some time while this one did.
  std::set<std::string> beside(const std::string& name) const {
    std::set<std::string> running;
    std::set<std::string> found;
    for (const std::string& line : lines()) {
      const std::string who = line.substr(line.find(' ') + 1);
      if (line.starts_with("begin"))
        running.insert(who);
      else
        running.erase(who);
      if (who == name && line.starts_with("begin")) found.insert(running.begin(), running.end());
      if (running.count(name) != 0) found.insert(who);
    }
    found.erase(name);
    return found;
  }

 private:
  TemporaryFolder folder_{"fusetune-log"};
};

TEST(RunPools, JobsOfAllPoolsRunBesideEachOther) {
  const EventLog log;
  WorkerPool one(options(1));
  WorkerPool other(options(1));
  one.submit(log.job("a", "begin b"));
  other.submit(log.job("b", "begin a"));
  run_pools({&one, &other}, 0, never);
  EXPECT_THAT(log.beside("a"), ElementsAre("b"));
}

/// Eight jobs in two pools, and one in between that is to run alone, or is not.
EventLog run_with(bool alone) {
  EventLog log;
  WorkerPool one(options(2));
  WorkerPool other(options(2));
  for (int i = 0; i < 4; ++i) {
    one.submit(log.job("compile " + std::to_string(i), "", 5));
    if (i == 1) {
      // It waits for another job to begin, which must not happen while it runs alone.
      Job timing = log.job("timing", alone ? "" : "begin proof 3", 20);
      timing.company = alone ? Company::none : Company::any;
      other.submit(timing);
    }
    other.submit(log.job("proof " + std::to_string(i), alone ? "" : "begin timing", 5));
  }
  run_pools({&one, &other}, 0, never);
  return log;
}

TEST(RunPools, NothingRunsBesideAJobThatIsAlone) {
  const EventLog log = run_with(true);
  EXPECT_EQ(log.lines().size(), 18U);
  EXPECT_THAT(log.beside("timing"), IsEmpty());
  // It comes when nothing else is left.
  EXPECT_EQ(log.lines().back(), "end timing");
}

TEST(RunPools, AJobThatOnlyShouldBeAloneIsSeenBesideOthers) {
  // The bug that the test before looks for.
  EXPECT_FALSE(run_with(false).beside("timing").empty());
}

TEST(RunPools, AJobThatIsAloneInItsPoolRunsBesideOtherPools) {
  const EventLog log;
  WorkerPool device(options(3));
  WorkerPool compilers(options(1));
  for (int i = 0; i < 2; ++i) {
    // Each waits for a compilation to begin that is begun while it runs.
    Job race = log.job("race " + std::to_string(i), "begin compile " + std::to_string(i), 20);
    race.company = Company::other_pools;
    device.submit(race);
    Job compile = log.job("compile " + std::to_string(i), "begin race " + std::to_string(i), 5);
    compile.done = [&, i](const JobEnd&) { device.submit(log.job("proof " + std::to_string(i))); };
    compilers.submit(compile);
    device.submit(log.job("early " + std::to_string(i), "", 20));
  }
  run_pools({&device, &compilers}, 0, never);
  EXPECT_THAT(log.beside("race 0"), IsSubsetOf({"compile 0", "compile 1"}));
  EXPECT_THAT(log.beside("race 1"), IsSubsetOf({"compile 0", "compile 1"}));
  EXPECT_THAT(log.beside("race 0"), Contains("compile 0"));
  EXPECT_THAT(log.beside("early 0"), Contains("early 1"));
}

TEST(RunPools, JobsThatAreAloneRunOneAfterTheOther) {
  const EventLog log;
  WorkerPool one(options(3));
  WorkerPool other(options(3));
  for (int i = 0; i < 3; ++i)
    for (WorkerPool* pool : {&one, &other}) {
      Job job = log.job((pool == &one ? "a" : "b") + std::to_string(i), "", 5);
      job.company = Company::none;
      pool->submit(job);
    }
  run_pools({&one, &other}, 0, never);
  for (const char* name : {"a0", "a1", "a2", "b0", "b1", "b2"})
    EXPECT_THAT(log.beside(name), IsEmpty()) << name;
}

TEST(RunPools, AtMostSoManyJobsAtATimeEarlierPoolsFirst) {
  const EventLog log;
  WorkerPool proofs(options(2));
  WorkerPool compilers(options(2));
  for (int i = 0; i < 2; ++i) {
    Job compile = log.job("compile " + std::to_string(i));
    compile.done = [&, i](const JobEnd&) { proofs.submit(log.job("proof " + std::to_string(i))); };
    compilers.submit(compile);
  }
  run_pools({&proofs, &compilers}, 1, never);
  EXPECT_THAT(log.lines(),
              ElementsAre("begin compile 0", "end compile 0", "begin proof 0", "end proof 0",
                          "begin compile 1", "end compile 1", "begin proof 1", "end proof 1"));
}

TEST(RunPools, StopCancelsTheJobsOfAllPools) {
  WorkerPool one(options(1));
  WorkerPool other(options(1));
  std::map<How, int> ends;
  const Told told;
  const auto count = [&](const JobEnd& end) { ++ends[end.how]; };
  Job hanging;
  hanging.request = {{"act", "hang"}, {"tell", told.file()}};
  hanging.done = [&](const JobEnd& end) {
    count(end);
    Job late;  // to the other pool, after that was emptied
    late.request = {{"act", "echo"}};
    late.done = count;
    one.submit(late);
  };
  other.submit(hanging);
  Job waiting;
  waiting.request = {{"act", "echo"}};
  waiting.done = count;
  waiting.company = Company::none;
  one.submit(waiting);
  run_pools({&one, &other}, 0, [&] { return told.number() != 0; });
  EXPECT_EQ(ends[How::cancelled], 3);
  EXPECT_EQ(one.waiting() + other.waiting(), 0U);
}

TEST(RunPools, AHangIsToldByWhatOthersOfItsKindTook) {
  WorkerPool pool(options(1));
  std::vector<JobEnd> ends;
  const auto submit = [&](const Json& request, milliseconds floor) {
    Job job;
    job.request = request;
    job.kind = "case";
    job.limit = std::chrono::minutes(10);  // the test would not end
    job.limit_floor = floor;
    job.done = [&](const JobEnd& end) { ends.push_back(end); };
    pool.submit(job);
    pool.run(never);
  };
  submit({{"act", "sleep"}, {"duration_ms", 50}}, milliseconds(400));
  EXPECT_EQ(ends[0].limit, std::chrono::minutes(10));
  submit({{"act", "hang"}}, milliseconds(400));
  EXPECT_EQ(ends[1].how, How::timed_out);
  EXPECT_GE(ends[1].limit, milliseconds(500));
  EXPECT_LT(ends[1].limit, std::chrono::minutes(1));
  // Nor is the limit below its floor.
  submit({{"act", "echo"}}, milliseconds(30000));
  EXPECT_EQ(ends[2].how, How::answered);
  EXPECT_EQ(ends[2].limit, milliseconds(30000));
}

}  // namespace
}  // namespace fusetune
