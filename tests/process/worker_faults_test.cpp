// Workers that crash, hang, babble or leave children: the pool goes on and nothing stays behind.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "harness/base/error.hpp"
#include "harness/base/temporary_folder.hpp"
#include "tests/process/pool_helpers.hpp"
#include "tests/process/proc_view.hpp"

namespace fusetune {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using How = JobEnd::How;

TEST(WorkerFaults, AddressSpaceLimitHolds) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer reserves more address space than any limit leaves";
#endif
  WorkerPoolOptions with_limit = options(1);
  with_limit.address_space_bytes = std::int64_t{256} << 20;
  WorkerPool pool(with_limit);
  const auto ends =
      run_all(pool, {{{"act", "self"}}, {{"act", "allocate"}, {"bytes", std::int64_t{1} << 30}}});
  EXPECT_EQ(ends[0].answer["address_space_bytes"], std::int64_t{256} << 20);
  ASSERT_EQ(ends[1].how, How::answered);
  EXPECT_THAT(ends[1].answer["error"].get<std::string>(), HasSubstr("bad_alloc"));
}

TEST(WorkerFaults, DeadWorkerIsReplacedAndItsJobKnowsWhy) {
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

TEST(WorkerFaults, ScratchFolderGoesWithItsWorkerHoweverThatEnds) {
  const Told told;
  {
    WorkerPool pool(options(1));
    std::vector<Json> requests;
    for (const char* then : {"abort", "exit", "hang"})
      requests.push_back({{"act", "litter"}, {"then", then}, {"tell", told.file()}});
    run_all(pool, requests, milliseconds(300));
  }
  const auto folders = told.lines();
  EXPECT_EQ(std::set(folders.begin(), folders.end()).size(), 3U);
  for (const std::string& folder : folders) EXPECT_FALSE(std::filesystem::exists(folder)) << folder;
}

TEST(WorkerFaults, DeadlineKillsWhateverTheWorkerIgnores) {
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

TEST(WorkerFaults, GrandchildrenDieWithTheWorker) {
  for (const bool own_group : {false, true})
    for (const char* then : {"hang", "abort", "exit"}) {
      WorkerPool pool(options(1));
      const Told told;
      const JobEnd end = run_one(
          pool,
          {{"act", "grandchild"}, {"then", then}, {"own_group", own_group}, {"tell", told.file()}},
          milliseconds(700));
      const int grandchild = told.number();
      EXPECT_EQ(end.how, std::string(then) == "hang" ? How::timed_out : How::died) << then;
      ASSERT_GT(grandchild, 0);
      EXPECT_TRUE(ends_soon(grandchild)) << then << own_group;
    }
}

TEST(WorkerFaults, ProgramsThatAWorkerRunsDieWithIt) {
  // run_process puts them in a group of their own, as a compile worker does with its compiler.
  const TemporaryFolder folder("fusetune-pid");
  const std::string file = folder / "pid";
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
  EXPECT_TRUE(ends_soon(pid));
}

TEST(WorkerFaults, BrokenMessagesEndTheWorkerNotTheRun) {
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

TEST(WorkerFaults, DeathAfterTheAnswerIsNotBlamedOnTheNextJob) {
  WorkerPool pool(options(1));
  std::vector<Json> requests;
  for (int i = 0; i < 10; ++i) {
    requests.push_back({{"act", "answer_then_die"}});
    requests.push_back({{"act", "echo"}});
  }
  for (const JobEnd& end : run_all(pool, requests)) EXPECT_EQ(end.how, How::answered);
}

TEST(WorkerFaults, WorkerThatNeverReadsTimesOut) {
  WorkerPoolOptions deaf;
  deaf.command = {"/bin/sh", "-c", "sleep 1000"};
  WorkerPool pool(deaf);
  const Json big = std::string(1'000'000, 'b');  // more than the pipe takes
  EXPECT_EQ(run_one(pool, big, milliseconds(200)).how, How::timed_out);
}

/// What a run of three jobs throws. None of them ends.
std::string error_of_run(WorkerPoolOptions bad) {
  WorkerPool pool(std::move(bad));
  for (int i = 0; i < 3; ++i)
    pool.submit({{{"act", "echo"}}, std::chrono::milliseconds(20000), [](const JobEnd&) {
                   ADD_FAILURE() << "a job ended";
                 }});
  try {
    pool.run(never);
  } catch (const UserError& error) {
    EXPECT_EQ(pool.waiting() + pool.running(), 3U);
    return error.what();
  }
  return "no error";
}

TEST(WorkerFaults, WorkersThatDieAtStartAreNoFailureOfTheJobs) {
  EXPECT_EQ(
      error_of_run(options(1, {"--die-at-start"})),
      "3 workers in a row ended before they began their work (exit code 7): no device here\n");
}

TEST(WorkerFaults, AWorkerThatDiesAtStartIsReplaced) {
  const TemporaryFolder folder("fusetune-start");
  WorkerPool pool(options(1, {"--die-without", (folder / "marker").string()}));
  EXPECT_EQ(run_one(pool, {{"act", "echo"}}).how, How::answered);
}

TEST(WorkerFaults, AProgramThatCannotBeStartedIsNoFailureOfTheJobs) {
  WorkerPoolOptions missing;
  missing.command = {"/no/such/worker"};
  missing.workers = 2;
  EXPECT_EQ(error_of_run(missing), "cannot start '/no/such/worker': No such file or directory");
}

TEST(WorkerFaults, StopCancelsAllThatIsUnfinished) {
  WorkerPool pool(options(2));
  std::map<How, int> ends;
  const auto count = [&](const JobEnd& end) { ++ends[end.how]; };
  pool.submit({{{"act", "echo"}}, milliseconds(20000), count});
  const Told told;
  pool.submit({{{"act", "grandchild"}, {"then", "hang"}, {"tell", told.file()}},
               milliseconds(60000),
               [&](const JobEnd& end) {
                 count(end);
                 // Too late: this one is cancelled as well, not forgotten.
                 pool.submit({{{"act", "echo"}}, milliseconds(20000), count});
               }});
  for (int i = 0; i < 4; ++i) pool.submit({{{"act", "hang"}}, milliseconds(60000), count});
  pool.run([&] { return told.number() != 0 && ends[How::answered] == 1; });
  EXPECT_EQ(ends[How::answered], 1);
  EXPECT_EQ(ends[How::cancelled], 6);
  EXPECT_EQ(pool.waiting() + pool.running(), 0U);
  EXPECT_TRUE(ends_soon(told.number()));
  EXPECT_EQ(run_one(pool, {{"act", "echo"}}).how, How::answered);
}

TEST(WorkerFaults, DestructorKillsWhatStillRuns) {
  const Told told;
  {
    WorkerPool pool(options(2));
    pool.submit({{{"act", "grandchild"}, {"then", "hang"}, {"tell", told.file()}},
                 milliseconds(60000),
                 {}});
    const auto stop_when_told = [&] {
      if (told.number() != 0) throw std::runtime_error("enough");
      return false;
    };
    EXPECT_THROW(pool.run(stop_when_told), std::runtime_error);
    EXPECT_GE(child_count(), 1);
  }
  EXPECT_EQ(child_count(), 0);
  EXPECT_TRUE(ends_soon(told.number()));
}

TEST(WorkerFaults, WorkersDieWithAKilledSupervisor) {
  const Told told;
  const pid_t supervisor = ::fork();
  if (supervisor == 0) {
    WorkerPool pool(options(1));
    pool.submit({{{"act", "hang"}, {"tell", told.file()}}, milliseconds(60000), {}});
    pool.run(never);
    ::_exit(0);
  }
  while (told.number() == 0) std::this_thread::sleep_for(milliseconds(5));
  const int worker = told.number();
  EXPECT_TRUE(is_running(worker));
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  EXPECT_TRUE(ends_soon(worker));
}

TEST(WorkerFaults, IgnoredSigchldAndInterruptsDoNoHarm) {
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

TEST(WorkerFaults, LeavesNoDescriptorAndNoChildAfterManyDeaths) {
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
