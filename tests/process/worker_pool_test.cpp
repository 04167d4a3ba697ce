#include "harness/process/worker_pool.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <thread>

#include "harness/base/error.hpp"
#include "tests/process/pool_helpers.hpp"
#include "tests/process/proc_view.hpp"

namespace fusetune {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using How = JobEnd::How;

TEST(WorkerPool, AnswersEveryJobOnceAndReusesWorkers) {
  WorkerPool pool(options(3));
  std::vector<Json> requests;
  for (int i = 0; i < 50; ++i)
    requests.push_back({{"act", i % 2 == 0 ? "echo" : "self"}, {"i", i}});
  const auto ends = run_all(pool, requests);
  std::set<int> pids;
  for (int i = 0; i < 50; ++i) {
    const JobEnd& end = ends[static_cast<std::size_t>(i)];
    ASSERT_EQ(end.how, How::answered);
    EXPECT_GT(end.wall_ms, 0);
    if (i % 2 == 0)
      EXPECT_EQ(end.answer["i"], i);
    else
      pids.insert(end.answer["pid"].get<int>());
  }
  EXPECT_LE(pids.size(), 3U);
}

TEST(WorkerPool, GivesEachWorkerTheSharedPartOfItsJobs) {
  WorkerPool pool(options(2));
  const auto part = [](const std::string& key, const std::string& value) {
    return std::make_shared<SharedPart>(SharedPart{key, {{"of", value}}});
  };
  const std::vector parts{part("a", "first"), part("b", "second")};
  std::vector<std::string> seen;
  for (int i = 0; i < 12; ++i) {
    const auto& own = parts[static_cast<std::size_t>(i % 2)];
    Job job;
    // Some workers die, and those that replace them have been told nothing.
    job.request = {{"act", i % 5 == 4 ? "exit" : "echo"}};
    job.shared = own;
    job.done = [&seen, own](const JobEnd& end) {
      if (end.how == How::died) return seen.push_back("died");
      seen.push_back(end.answer.at("shared") == own->value ? "right" : end.answer.dump());
    };
    pool.submit(std::move(job));
  }
  pool.run(never);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "right"), 10);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), "died"), 2);
}

TEST(WorkerPool, ASharedPartThatWasNotSentIsAnError) {
  WorkerPool pool(options(1));
  EXPECT_TRUE(run_one(pool, {{"act", "echo"}, {"shared", "unknown"}}).answer.contains("error"));
}

TEST(WorkerPool, StartsNoMoreWorkersThanJobs) {
  WorkerPool pool(options(8));
  EXPECT_EQ(child_count(), 0);
  run_all(pool, {{{"act", "echo"}}, {{"act", "echo"}}});
  EXPECT_LE(child_count(), 2);
  run_one(pool, {{"act", "echo"}});  // they stay for the next run
  EXPECT_GE(child_count(), 1);
  EXPECT_LE(child_count(), 2);
}

TEST(WorkerPool, PrefersAWorkerThatIsThereToANewOne) {
  WorkerPool pool(options(2));
  run_all(pool, {{{"act", "exit"}}, {{"act", "sleep"}, {"duration_ms", 50}}});
  EXPECT_EQ(child_count(), 1);  // the second place
  run_one(pool, {{"act", "echo"}});
  EXPECT_EQ(child_count(), 1);
}

TEST(WorkerPool, UsesAllItsWorkersAtOnce) {
  WorkerPool pool(options(4));
  std::size_t most = 0;
  int ended = 0;
  for (int i = 0; i < 4; ++i)
    pool.submit({{{"act", "sleep"}, {"duration_ms", 300}}, milliseconds(20000), [&](const JobEnd&) {
                   ++ended;
                 }});
  EXPECT_EQ(pool.waiting(), 4U);
  pool.run(never, [&] { most = std::max(most, pool.running()); });
  EXPECT_EQ(most, 4U);
  EXPECT_EQ(ended, 4);
}

TEST(WorkerPool, WorkerLivesInItsOwnGroupWithNothingButItsPipesAndItsNote) {
  int leak[2];
  ASSERT_EQ(::pipe(leak), 0);  // not close-on-exec, on purpose
  WorkerPool pool(options(2));
  const auto ends = run_all(pool, {{{"act", "self"}}, {{"act", "self"}}});
  for (const JobEnd& end : ends) {
    const Json& self = end.answer;
    EXPECT_EQ(self["group"], self["pid"]);
    EXPECT_NE(self["group"], ::getpgid(0));
    EXPECT_EQ(self["stdin"], "/dev/null");
    // Standard streams, two pipes; the note is mapped.
    EXPECT_EQ(self["fds"].size(), 5U) << self["fds"];
    EXPECT_FALSE(self["sigpipe_ignored"].get<bool>());
    EXPECT_TRUE(self["pipes_close_on_exec"].get<bool>());
  }
  ::close(leak[0]);
  ::close(leak[1]);
}

TEST(WorkerPool, ExceptionOfTheHandlerIsAnAnswer) {
  WorkerPool pool(options(1));
  const auto ends = run_all(pool, {{{"act", "throw"}}, {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[0].answer, Json({{"error", "no such kernel"}}));
  EXPECT_EQ(ends[1].how, How::answered);
}

TEST(WorkerPool, KeepsTheLastOutputOfTheJobAlone) {
  WorkerPool pool(options(1));
  std::string long_text;
  for (int i = 0; i < 20000; ++i) long_text += "line " + std::to_string(i) + "\n";
  const auto ends = run_all(pool, {{{"act", "echo"}, {"print", long_text}},
                                   {{"act", "abort"}, {"print", "short\n"}},
                                   {{"act", "abort"}, {"print", long_text + "the end\n"}}});
  EXPECT_EQ(ends[1].last_output, "short\n");
  const std::string& tail = ends[2].last_output;
  EXPECT_TRUE(tail.ends_with("line 19999\nthe end\n"));
  EXPECT_TRUE(tail.starts_with("line ")) << "cut inside a line";
  EXPECT_GT(tail.size(), 4000U);
  EXPECT_LE(tail.size(), 4096U);
}

TEST(WorkerPool, EndlessOutputDoesNotBlockAWorker) {
  WorkerPool pool(options(1));
  const JobEnd end =
      run_one(pool, {{"act", "sleep"}, {"duration_ms", 1}, {"print", std::string(2'000'000, '!')}});
  EXPECT_EQ(end.how, How::answered);
}

TEST(WorkerPool, OneThatAnswersWithoutEndIsLostAndTheOthersGoOn) {
  WorkerPool pool(options(2));
  const auto ends = run_all(pool, {{{"act", "burst"}}, {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[1].how, How::answered);
  EXPECT_EQ(child_count(), 1);
}

TEST(WorkerPool, SlowCallbackDoesNotMakeAPunctualWorkerLate) {
  WorkerPool pool(options(2));
  std::vector<JobEnd> ends(2);
  pool.submit({{{"act", "echo"}}, milliseconds(20000), [&](const JobEnd& end) {
                 ends[0] = end;
                 std::this_thread::sleep_for(milliseconds(900));
               }});
  pool.submit({{{"act", "sleep"}, {"duration_ms", 200}}, milliseconds(600), [&](const JobEnd& end) {
                 ends[1] = end;
               }});
  pool.run(never);
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[1].how, How::answered);
}

TEST(WorkerPool, RefusesAPoolThatCannotWork) {
  EXPECT_THROW(WorkerPool(options(0)), std::invalid_argument);
  EXPECT_THROW(WorkerPool(WorkerPoolOptions{}), std::invalid_argument);
}

TEST(WorkerPool, RequestLargerThanAPipe) {
  WorkerPool pool(options(2));
  const std::string big(3'000'000, 'b');
  const auto ends = run_all(pool, {{{"text", big}}, {{"text", big}, {"act", "abort"}}, {{"a", 1}}});
  EXPECT_EQ(ends[0].answer["text"], big);
  EXPECT_EQ(ends[1].how, How::died);
  EXPECT_EQ(ends[2].how, How::answered);
  // One that dies without reading it: no SIGPIPE, no endless wait.
  WorkerPool dying(options(1, {"--die-at-start"}));
  EXPECT_THROW(run_one(dying, {{"text", big}}), UserError);
}

TEST(WorkerPool, CallbacksMaySubmit) {
  WorkerPool pool(options(2));
  int answers = 0;
  std::function<void(int)> submit = [&](int depth) {
    pool.submit({{{"act", depth % 3 == 2 ? "abort" : "echo"}},
                 milliseconds(20000),
                 [&, depth](const JobEnd&) {
                   ++answers;
                   if (depth < 5) submit(depth + 1);
                 }});
  };
  submit(0);
  pool.run(never);
  EXPECT_EQ(answers, 6);
}

TEST(WorkerPool, ExceptionOfACallbackKeepsTheOtherJobs) {
  WorkerPool pool(options(1));
  int answered = 0;
  pool.submit({{{"act", "echo"}}, milliseconds(20000), [](const JobEnd&) {
                 throw std::runtime_error("disk full");
               }});
  pool.submit({{{"act", "echo"}}, milliseconds(20000), [&](const JobEnd&) { ++answered; }});
  EXPECT_THROW(pool.run(never), std::runtime_error);
  EXPECT_EQ(pool.waiting() + pool.running(), 1U);
  pool.run(never);
  EXPECT_EQ(answered, 1);
}

TEST(WorkerPool, RunIsNotReentrant) {
  WorkerPool pool(options(1));
  bool refused = false;
  pool.submit({{{"act", "echo"}}, milliseconds(20000), [&](const JobEnd&) {
                 try {
                   pool.run(never);
                 } catch (const std::logic_error&) {
                   refused = true;
                 }
               }});
  pool.run(never);
  EXPECT_TRUE(refused);
}

TEST(WorkerPool, TicksWhileNothingHappens) {
  WorkerPool pool(options(1));
  int ticks = 0;
  pool.submit({{{"act", "sleep"}, {"duration_ms", 400}}, milliseconds(20000), {}});
  pool.run({}, [&] { ++ticks; });
  EXPECT_GE(ticks, 4);
}

}  // namespace
}  // namespace fusetune
