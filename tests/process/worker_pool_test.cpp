#include "harness/process/worker_pool.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <set>
#include <thread>

#include "tests/process/proc_view.hpp"

namespace fusetune {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using How = JobEnd::How;

WorkerPoolOptions options(int workers, std::vector<std::string> extra = {}) {
  WorkerPoolOptions result;
  result.command = {FUSETUNE_TEST_WORKER};
  result.command.insert(result.command.end(), extra.begin(), extra.end());
  result.workers = workers;
  return result;
}

bool never() { return false; }

/// Runs requests to their ends, in the order of the requests.
std::vector<JobEnd> run_all(WorkerPool& pool, const std::vector<Json>& requests,
                            milliseconds limit = milliseconds(20000)) {
  std::vector<JobEnd> ends(requests.size());
  std::vector<int> calls(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Job job;
    job.request = requests[i];
    job.limit = limit;
    job.done = [&ends, &calls, i](const JobEnd& end) {
      ends[i] = end;
      ++calls[i];
    };
    pool.submit(std::move(job));
  }
  pool.run(never);
  EXPECT_THAT(calls, testing::Each(1));
  EXPECT_EQ(pool.waiting(), 0U);
  EXPECT_EQ(pool.running(), 0U);
  return ends;
}

JobEnd run_one(WorkerPool& pool, const Json& request, milliseconds limit = milliseconds(20000)) {
  return run_all(pool, {request}, limit).front();
}

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

TEST(WorkerPool, StartsNoMoreWorkersThanJobs) {
  WorkerPool pool(options(8));
  EXPECT_EQ(child_count(), 0);
  run_all(pool, {{{"act", "echo"}}, {{"act", "echo"}}});
  EXPECT_LE(child_count(), 2);
  run_one(pool, {{"act", "echo"}});  // they stay for the next run
  EXPECT_GE(child_count(), 1);
  EXPECT_LE(child_count(), 2);
}

TEST(WorkerPool, UsesAllItsWorkersAtOnce) {
  WorkerPool pool(options(4));
  std::size_t most = 0;
  int ended = 0;
  for (int i = 0; i < 4; ++i)
    pool.submit({{{"act", "sleep"}, {"duration_ms", 300}},
                 milliseconds(20000),
                 [&](const JobEnd&) { ++ended; },
                 {}});
  EXPECT_EQ(pool.waiting(), 4U);
  pool.run(never, [&] { most = std::max(most, pool.running()); });
  EXPECT_EQ(most, 4U);
  EXPECT_EQ(ended, 4);
}

TEST(WorkerPool, WorkerLivesInItsOwnGroupWithNothingButItsPipes) {
  int leak[2];
  ASSERT_EQ(::pipe(leak), 0);  // not close-on-exec, on purpose
  WorkerPoolOptions with_limit = options(2);
  with_limit.address_space_bytes = std::int64_t{8} << 30;
  WorkerPool pool(with_limit);
  const auto ends = run_all(pool, {{{"act", "self"}}, {{"act", "self"}}});
  for (const JobEnd& end : ends) {
    const Json& self = end.answer;
    EXPECT_EQ(self["group"], self["pid"]);
    EXPECT_NE(self["group"], ::getpgid(0));
    EXPECT_EQ(self["stdin"], "/dev/null");
    EXPECT_EQ(self["fds"].size(), 5U) << self["fds"];
    EXPECT_FALSE(self["sigpipe_ignored"].get<bool>());
    EXPECT_EQ(self["address_space_bytes"], std::int64_t{8} << 30);
  }
  ::close(leak[0]);
  ::close(leak[1]);
}

TEST(WorkerPool, AddressSpaceLimitHolds) {
  WorkerPoolOptions with_limit = options(1);
  with_limit.address_space_bytes = std::int64_t{256} << 20;
  WorkerPool pool(with_limit);
  const JobEnd end = run_one(pool, {{"act", "allocate"}, {"bytes", std::int64_t{1} << 30}});
  ASSERT_EQ(end.how, How::answered);
  EXPECT_THAT(end.answer["error"].get<std::string>(), HasSubstr("bad_alloc"));
}

TEST(WorkerPool, ExceptionOfTheHandlerIsAnAnswer) {
  WorkerPool pool(options(1));
  const auto ends = run_all(pool, {{{"act", "throw"}}, {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[0].answer, Json({{"error", "no such kernel"}}));
  EXPECT_EQ(ends[1].how, How::answered);
}

TEST(WorkerPool, DeadWorkerIsReplacedAndItsJobKnowsWhy) {
  WorkerPool pool(options(1));
  const auto ends = run_all(pool, {{{"act", "abort"}, {"print", "LLVM ERROR: no target\n"}},
                                   {{"act", "echo"}},
                                   {{"act", "segfault"}},
                                   {{"act", "exit"}, {"code", 42}},
                                   {{"act", "exit"}, {"code", 0}},
                                   {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::died);
  EXPECT_EQ(ends[0].signal, SIGABRT);
  EXPECT_EQ(ends[0].last_output, "LLVM ERROR: no target\n");
  EXPECT_EQ(ends[1].how, How::answered);
  EXPECT_EQ(ends[1].last_output, "");
  EXPECT_EQ(ends[2].how, How::died);
  EXPECT_EQ(ends[2].signal, SIGSEGV);
  EXPECT_EQ(ends[3].how, How::died);
  EXPECT_EQ(ends[3].signal, 0);
  EXPECT_EQ(ends[3].exit_code, 42);
  EXPECT_EQ(ends[4].how, How::died);
  EXPECT_EQ(ends[5].how, How::answered);
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

TEST(WorkerPool, DeadlineKillsWhateverTheWorkerIgnores) {
  WorkerPool pool(options(2));
  const auto ends = run_all(
      pool, {{{"act", "hang"}, {"print", "stuck in ioctl\n"}}, {{"act", "hang_ignoring_sigterm"}}},
      milliseconds(300));
  for (const JobEnd& end : ends) {
    EXPECT_EQ(end.how, How::timed_out);
    EXPECT_GE(end.wall_ms, 300);
  }
  EXPECT_EQ(ends[0].last_output, "stuck in ioctl\n");
  EXPECT_EQ(child_count(), 0);
  EXPECT_EQ(run_one(pool, {{"act", "echo"}}).how, How::answered);
}

TEST(WorkerPool, ProgressResetsTheDeadline) {
  WorkerPool pool(options(1));
  std::vector<int> steps;
  JobEnd end;
  Job job;
  job.request = {{"act", "progress"}, {"steps", 6}, {"step_ms", 200}};
  job.limit = milliseconds(800);  // less than the whole takes, more than a step
  job.progress = [&](const Json& value) { steps.push_back(value["step"]); };
  job.done = [&](const JobEnd& value) { end = value; };
  pool.submit(std::move(job));
  pool.run(never);
  EXPECT_EQ(end.how, How::answered);
  EXPECT_EQ(end.answer, "done");
  EXPECT_GE(end.wall_ms, 1200);
  EXPECT_THAT(steps, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(WorkerPool, FloodOfProgressStarvesNobody) {
  WorkerPool pool(options(2));
  const auto ends =
      run_all(pool, {{{"act", "progress"}, {"steps", 20000}, {"step_ms", 0}}, {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[1].how, How::answered);
}

TEST(WorkerPool, SlowCallbackDoesNotMakeAPunctualWorkerLate) {
  WorkerPool pool(options(2));
  std::vector<JobEnd> ends(2);
  pool.submit({{{"act", "echo"}},
               milliseconds(20000),
               [&](const JobEnd& end) {
                 ends[0] = end;
                 std::this_thread::sleep_for(milliseconds(900));
               },
               {}});
  pool.submit({{{"act", "sleep"}, {"duration_ms", 200}},
               milliseconds(600),
               [&](const JobEnd& end) { ends[1] = end; },
               {}});
  pool.run(never);
  EXPECT_EQ(ends[0].how, How::answered);
  EXPECT_EQ(ends[1].how, How::answered);
}

TEST(WorkerPool, GrandchildrenDieWithTheWorker) {
  for (const bool own_group : {false, true})
    for (const char* then : {"hang", "abort", "exit"}) {
      WorkerPool pool(options(1));
      int grandchild = 0;
      JobEnd end;
      Job job;
      job.request = {{"act", "grandchild"}, {"then", then}, {"own_group", own_group}};
      job.limit = milliseconds(700);
      job.progress = [&](const Json& pid) { grandchild = pid; };
      job.done = [&](const JobEnd& value) { end = value; };
      pool.submit(std::move(job));
      pool.run(never);
      EXPECT_EQ(end.how, std::string(then) == "hang" ? How::timed_out : How::died) << then;
      ASSERT_GT(grandchild, 0);
      EXPECT_TRUE(ends_soon(grandchild)) << then << own_group;
    }
}

TEST(WorkerPool, ProgramsThatAWorkerRunsDieWithIt) {
  // run_process puts them in a group of their own, as a compile worker does with its compiler.
  const std::string file = testing::TempDir() + "fusetune_pid_" + std::to_string(::getpid());
  WorkerPool pool(options(1));
  const JobEnd end = run_one(
      pool, {{"act", "subprocess"}, {"script", "sleep 1000 & echo $! > " + file + "; wait"}},
      milliseconds(700));
  EXPECT_EQ(end.how, How::timed_out);
  FILE* stream = std::fopen(file.c_str(), "r");
  ASSERT_NE(stream, nullptr);
  int pid = 0;
  EXPECT_EQ(std::fscanf(stream, "%d", &pid), 1);
  std::fclose(stream);
  ::unlink(file.c_str());
  EXPECT_TRUE(ends_soon(pid));
}

TEST(WorkerPool, BrokenMessagesEndTheWorkerNotTheRun) {
  WorkerPool pool(options(1));
  const auto ends = run_all(pool, {{{"act", "broken_frame"}},
                                   {{"act", "echo"}},
                                   {{"act", "huge_frame"}},
                                   {{"act", "unknown_message"}},
                                   {{"act", "close_pipe"}},
                                   {{"act", "echo"}}});
  EXPECT_EQ(ends[0].how, How::died);
  EXPECT_THAT(ends[0].last_output, HasSubstr("the worker was killed: it sent what is no message"));
  EXPECT_EQ(ends[1].how, How::answered);
  EXPECT_EQ(ends[2].how, How::died);
  EXPECT_EQ(ends[3].how, How::died);
  EXPECT_THAT(ends[3].last_output, HasSubstr("unexpected message"));
  EXPECT_EQ(ends[4].how, How::died);
  EXPECT_EQ(ends[5].how, How::answered);
}

TEST(WorkerPool, DeathAfterTheAnswerIsNotBlamedOnTheNextJob) {
  WorkerPool pool(options(1));
  std::vector<Json> requests;
  for (int i = 0; i < 10; ++i) {
    requests.push_back({{"act", "answer_then_die"}});
    requests.push_back({{"act", "echo"}});
  }
  for (const JobEnd& end : run_all(pool, requests)) EXPECT_EQ(end.how, How::answered);
}

TEST(WorkerPool, WorkersThatDieAtStartFailTheirJobs) {
  WorkerPool pool(options(2, {"--die-at-start"}));
  for (const JobEnd& end : run_all(pool, std::vector<Json>(7, {{"act", "echo"}}))) {
    EXPECT_EQ(end.how, How::died);
    EXPECT_EQ(end.exit_code, 7);
    EXPECT_EQ(end.last_output, "no device here\n");
  }
}

TEST(WorkerPool, ProgramThatCannotBeStartedFailsTheJobs) {
  WorkerPoolOptions missing;
  missing.command = {"/no/such/worker"};
  missing.workers = 2;
  WorkerPool pool(missing);
  for (const JobEnd& end : run_all(pool, std::vector<Json>(3, {{"act", "echo"}}))) {
    EXPECT_EQ(end.how, How::died);
    EXPECT_EQ(end.last_output, "cannot start '/no/such/worker': No such file or directory");
  }
}

TEST(WorkerPool, RefusesAPoolThatCannotWork) {
  EXPECT_THROW(WorkerPool(options(0)), std::invalid_argument);
  EXPECT_THROW(WorkerPool(WorkerPoolOptions{}), std::invalid_argument);
}

TEST(WorkerPool, RequestLargerThanAPipeIsSentToABusySupervisorsEnd) {
  WorkerPool pool(options(2));
  const std::string big(3'000'000, 'b');
  const auto ends = run_all(pool, {{{"text", big}}, {{"text", big}, {"act", "abort"}}, {{"a", 1}}});
  EXPECT_EQ(ends[0].answer["text"], big);
  EXPECT_EQ(ends[1].how, How::died);
  EXPECT_EQ(ends[2].how, How::answered);
  // One that dies without reading it: no SIGPIPE, no endless wait.
  WorkerPool dying(options(1, {"--die-at-start"}));
  EXPECT_EQ(run_one(dying, {{"text", big}}).how, How::died);
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
                 },
                 {}});
  };
  submit(0);
  pool.run(never);
  EXPECT_EQ(answers, 6);
}

TEST(WorkerPool, ExceptionOfACallbackKeepsTheOtherJobs) {
  WorkerPool pool(options(1));
  int answered = 0;
  pool.submit({{{"act", "echo"}},
               milliseconds(20000),
               [](const JobEnd&) { throw std::runtime_error("disk full"); },
               {}});
  pool.submit({{{"act", "echo"}}, milliseconds(20000), [&](const JobEnd&) { ++answered; }, {}});
  EXPECT_THROW(pool.run(never), std::runtime_error);
  EXPECT_EQ(pool.waiting() + pool.running(), 1U);
  pool.run(never);
  EXPECT_EQ(answered, 1);
}

TEST(WorkerPool, RunIsNotReentrant) {
  WorkerPool pool(options(1));
  bool refused = false;
  pool.submit({{{"act", "echo"}},
               milliseconds(20000),
               [&](const JobEnd&) {
                 try {
                   pool.run(never);
                 } catch (const std::logic_error&) {
                   refused = true;
                 }
               },
               {}});
  pool.run(never);
  EXPECT_TRUE(refused);
}

TEST(WorkerPool, StopCancelsAllThatIsUnfinished) {
  WorkerPool pool(options(2));
  std::map<How, int> ends;
  const auto count = [&](const JobEnd& end) { ++ends[end.how]; };
  pool.submit({{{"act", "echo"}}, milliseconds(20000), count, {}});
  int grandchild = 0;
  bool began = false;
  pool.submit({{{"act", "grandchild"}, {"then", "hang"}},
               milliseconds(60000),
               [&](const JobEnd& end) {
                 count(end);
                 // Too late: this one is cancelled as well, not forgotten.
                 pool.submit({{{"act", "echo"}}, milliseconds(20000), count, {}});
               },
               [&](const Json& pid) {
                 grandchild = pid;
                 began = true;
               }});
  for (int i = 0; i < 4; ++i) pool.submit({{{"act", "hang"}}, milliseconds(60000), count, {}});
  pool.run([&] { return began && ends[How::answered] == 1; });
  EXPECT_EQ(ends[How::answered], 1);
  EXPECT_EQ(ends[How::cancelled], 6);
  EXPECT_EQ(pool.waiting() + pool.running(), 0U);
  EXPECT_TRUE(ends_soon(grandchild));
  EXPECT_EQ(run_one(pool, {{"act", "echo"}}).how, How::answered);
}

TEST(WorkerPool, TicksWhileNothingHappens) {
  WorkerPool pool(options(1));
  int ticks = 0;
  pool.submit({{{"act", "sleep"}, {"duration_ms", 400}}, milliseconds(20000), {}, {}});
  pool.run({}, [&] { ++ticks; });
  EXPECT_GE(ticks, 4);
}

TEST(WorkerPool, DestructorKillsWhatStillRuns) {
  int grandchild = 0;
  {
    WorkerPool pool(options(2));
    pool.submit(
        {{{"act", "grandchild"}, {"then", "hang"}}, milliseconds(60000), {}, [&](const Json& pid) {
           grandchild = pid;
           throw std::runtime_error("enough");
         }});
    EXPECT_THROW(pool.run(never), std::runtime_error);
    EXPECT_GE(child_count(), 1);
  }
  EXPECT_EQ(child_count(), 0);
  EXPECT_TRUE(ends_soon(grandchild));
}

TEST(WorkerPool, WorkersDieWithAKilledSupervisor) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    WorkerPool pool(options(1));
    pool.submit({{{"act", "self"}},
                 milliseconds(60000),
                 [&](const JobEnd& end) {
                   const int pid = end.answer["pid"];
                   [[maybe_unused]] const ssize_t n = ::write(pipe_ends[1], &pid, sizeof pid);
                 },
                 {}});
    pool.submit({{{"act", "hang_ignoring_sigterm"}}, milliseconds(60000), {}, {}});
    pool.run(never);
    ::_exit(0);
  }
  int worker = 0;
  EXPECT_EQ(::read(pipe_ends[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
  EXPECT_TRUE(ends_soon(worker));
}

TEST(WorkerPool, IgnoredSigchldAndInterruptsDoNoHarm) {
  struct sigaction action {};
  struct sigaction previous {};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  ::sigaction(SIGUSR1, &action, &previous);
  const auto previous_child = ::signal(SIGCHLD, SIG_IGN);
  const pthread_t self = ::pthread_self();
  std::jthread pest([self](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ::pthread_kill(self, SIGUSR1);
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  {
    WorkerPool pool(options(2));
    const auto ends = run_all(
        pool, {{{"act", "sleep"}, {"duration_ms", 100}}, {{"act", "abort"}}, {{"act", "echo"}}});
    EXPECT_EQ(ends[0].how, How::answered);
    EXPECT_EQ(ends[1].how, How::died);
    EXPECT_EQ(ends[2].how, How::answered);
  }
  pest.request_stop();
  pest.join();
  ::signal(SIGCHLD, previous_child);
  ::sigaction(SIGUSR1, &previous, nullptr);
}

TEST(WorkerPool, LeavesNoDescriptorAndNoChildAfterManyDeaths) {
  const std::size_t fds = open_fd_count();
  int answered = 0;
  int died = 0;
  {
    WorkerPool pool(options(4));
    std::vector<Json> requests;
    for (int i = 0; i < 300; ++i)
      requests.push_back({{"act", i % 5 == 3 ? "exit" : i % 20 == 1 ? "abort" : "echo"}});
    for (const JobEnd& end : run_all(pool, requests))
      ++(end.how == How::answered ? answered : died);
    EXPECT_LE(child_count(), 4);
  }
  EXPECT_EQ(died, 75);
  EXPECT_EQ(answered, 225);
  EXPECT_EQ(child_count(), 0);
  EXPECT_EQ(open_fd_count(), fds);
}

}  // namespace
}  // namespace fusetune
