#include "harness/process/subprocess.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "tests/process/proc_view.hpp"

namespace fusetune {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr milliseconds kLong{30000};

ProcessResult shell(const std::string& script, milliseconds limit = kLong) {
  return run_process({"/bin/sh", "-c", script}, limit);
}

TEST(RunProcess, ReturnsExitCodeAndBothStreams) {
  const ProcessResult result = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.output, "out\nerr\n");
}

TEST(RunProcess, PassesArgumentsUnchanged) {
  const ProcessResult result = run_process({"printf", "%s|", "a b", "", "$HOME;*"}, kLong);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "a b||$HOME;*|");
}

TEST(RunProcess, ReportsTheSignal) {
  const ProcessResult result = shell("kill -SEGV $$");
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_FALSE(result.timed_out);
}

TEST(RunProcess, RunsInTheDirectory) {
  EXPECT_EQ(run_process({"pwd"}, kLong, "/usr").output, "/usr\n");
  const ProcessResult missing = run_process({"pwd"}, kLong, "/no/such/folder");
  EXPECT_EQ(missing.exit_code, 127);
  EXPECT_THAT(missing.output, HasSubstr("/no/such/folder"));
}

TEST(RunProcess, NamesAProgramThatCannotBeStarted) {
  const ProcessResult result = run_process({"fusetune-no-such-program"}, kLong);
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_EQ(result.output, "cannot start 'fusetune-no-such-program': No such file or directory");
  EXPECT_THAT(run_process({"/etc/passwd"}, kLong).output, HasSubstr("Permission denied"));
  EXPECT_THROW(run_process({}, kLong), std::invalid_argument);
}

TEST(RunProcess, KeepsTheFirstMebibyteAndLetsTheChildFinish) {
  const ProcessResult result =
      shell("printf first; head -c 3000000 /dev/zero | tr '\\0' x; exit 4");
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_EQ(result.output.size(), std::size_t{1} << 20);
  EXPECT_TRUE(result.output.starts_with("firstxxx"));
}

TEST(RunProcess, TimeLimitKillsTheWholeGroup) {
  const ProcessResult result =
      shell("trap '' TERM; sleep 1000 & echo $!; trap '' TERM; wait", milliseconds(300));
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, 0);
  EXPECT_TRUE(ends_soon(std::stoi(result.output)));
}

TEST(RunProcess, DoesNotWaitForWhatTheChildLeftBehind) {
  // The background process holds the output open for far longer than the test may take.
  const ProcessResult result = shell("sleep 1000 & echo $!");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_FALSE(result.timed_out);
  EXPECT_TRUE(ends_soon(std::stoi(result.output)));
}

TEST(RunProcess, WaitsForAChildThatClosedItsOutput) {
  const ProcessResult result = shell("exec >&- 2>&-; sleep 0.1; exit 5");
  EXPECT_EQ(result.exit_code, 5);
}

TEST(RunProcess, GivesNoInputAndNoOtherFiles) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);  // not close-on-exec, on purpose
  const ProcessResult result = shell("cat; ls /proc/self/fd | tr '\\n' ' '");
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(result.output, "0 1 2 3 ");  // 3 is what ls itself reads
}

TEST(RunProcess, ResetsIgnoredSignals) {
  const auto previous = ::signal(SIGPIPE, SIG_IGN);
  const ProcessResult result = shell("kill -PIPE $$; echo survived");
  ::signal(SIGPIPE, previous);
  EXPECT_EQ(result.signal, SIGPIPE);
}

TEST(RunProcess, SurvivesInterruptingSignals) {
  struct sigaction action {};
  struct sigaction previous {};
  action.sa_handler = [](int) {};  // without SA_RESTART: calls return EINTR
  ::sigaction(SIGUSR1, &action, &previous);
  const pthread_t self = ::pthread_self();
  std::jthread pest([self](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ::pthread_kill(self, SIGUSR1);
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  const ProcessResult result = shell("sleep 0.2; echo done; exit 6");
  pest.request_stop();
  pest.join();
  ::sigaction(SIGUSR1, &previous, nullptr);
  EXPECT_EQ(result.exit_code, 6);
  EXPECT_EQ(result.output, "done\n");
}

TEST(RunProcess, LeavesNoDescriptorAndNoChild) {
  shell("true");
  const std::size_t fds = open_fd_count();
  for (int i = 0; i < 20; ++i) shell(i % 2 == 0 ? "sleep 100 & exit 1" : "kill -9 $$");
  run_process({"fusetune-no-such-program"}, kLong);
  EXPECT_EQ(open_fd_count(), fds);
  EXPECT_EQ(child_count(), 0);
}

TEST(SelfPath, IsThisExecutable) {
  EXPECT_EQ(self_path().filename(), "test_process");
  EXPECT_TRUE(std::filesystem::exists(self_path()));
}

}  // namespace
}  // namespace fusetune
