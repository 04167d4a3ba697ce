// Each measure by itself: what it refuses can be done before, and not after. A measure that this
// machine does not offer is skipped with the reason.
#include "harness/sandbox/sandbox.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "harness/base/temporary_folder.hpp"
#include "tests/sandbox/in_child.hpp"

namespace fusetune {
namespace {

namespace fs = std::filesystem;

using Step = std::function<std::vector<Measure>(const fs::path& scratch)>;

class Sandbox : public testing::Test {
 protected:
  /// "" when the measure is active after `step`, or why not.
  std::string why_not(const Step& step, const std::string& name) {
    const ChildEnd end = in_child([&] {
      for (const Measure& measure : step(scratch()))
        if (measure.name == name && !measure.active)
          static_cast<void>(::write(STDERR_FILENO, measure.why_not.data(), measure.why_not.size()) <
                            0);
      return 0;
    });
    return end.output;
  }

  /// What `attempt` returns in a child that took `step` before.
  ChildEnd after(const Step& step, const std::function<int()>& attempt) {
    return in_child([&] {
      step(scratch());
      return attempt();
    });
  }

  fs::path scratch() const { return folder_.path() / "scratch"; }
  fs::path outside() const { return folder_.path() / "outside"; }
  void SetUp() override { fs::create_directory(scratch()); }

  int write_file(const fs::path& path) const {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    return fd < 0 ? errno : 0;
  }

 private:
  TemporaryFolder folder_{"fusetune-sandbox"};
};

#define SKIP_WITHOUT(step, name)                                   \
  if (const std::string why = why_not(step, name); !why.empty()) { \
    GTEST_SKIP() << name << " is not available here: " << why;     \
  }

const Step kNamespaces = [](const fs::path& scratch) { return enter_namespaces(scratch); };
const Step kPrivileges = [](const fs::path&) { return drop_privileges(); };
const Step kFiles = [](const fs::path& scratch) {
  drop_privileges();
  return restrict_files(scratch);
};

/// 0 when a listener on this machine can be reached, else an errno.
int connect_to(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = port;
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  return error_of(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
}

TEST_F(Sandbox, NetworkNamespaceReachesNobody) {
  SKIP_WITHOUT(kNamespaces, "network namespace");
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 8), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto attempt = [&] { return connect_to(address.sin_port); };
  EXPECT_EQ(in_child(attempt).exit_code, 0);
  EXPECT_EQ(after(kNamespaces, attempt).exit_code, ENETUNREACH);
  ::close(listener);
}

TEST_F(Sandbox, IpcNamespaceHidesSharedMemory) {
  SKIP_WITHOUT(kNamespaces, "ipc namespace");
  const int id = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  if (id < 0) GTEST_SKIP() << "no shared memory here";
  shmid_ds description{};
  const auto attempt = [&] { return error_of(::shmctl(id, IPC_STAT, &description)); };
  EXPECT_EQ(in_child(attempt).exit_code, 0);
  EXPECT_EQ(after(kNamespaces, attempt).exit_code, EINVAL);
  ::shmctl(id, IPC_RMID, nullptr);
}

TEST_F(Sandbox, MountsAreReadOnlyButForTheScratchFolder) {
  SKIP_WITHOUT(kNamespaces, "read-only mounts");
  EXPECT_EQ(in_child([&] { return write_file(outside()); }).exit_code, 0);
  EXPECT_EQ(after(kNamespaces, [&] { return write_file(outside()); }).exit_code, EROFS);
  EXPECT_EQ(after(kNamespaces, [&] { return write_file("/dev/shm/fusetune-test"); }).exit_code,
            EROFS);
  EXPECT_EQ(after(kNamespaces, [&] { return write_file(scratch() / "file"); }).exit_code, 0);
  EXPECT_TRUE(fs::exists(scratch() / "file"));
  EXPECT_EQ(
      after(kNamespaces,
            [&] { return std::ifstream(outside()).good() && fs::exists("/proc/self") ? 0 : 1; })
          .exit_code,
      0);
  // The mounts of this process are what they were.
  EXPECT_EQ(write_file(outside()), 0);
}

TEST_F(Sandbox, LandlockAllowsTheScratchFolderAlone) {
  SKIP_WITHOUT(kFiles, "landlock");
  EXPECT_EQ(in_child([&] { return write_file(outside()); }).exit_code, 0);
  EXPECT_EQ(after(kFiles, [&] { return write_file(outside()); }).exit_code, EACCES);
  EXPECT_EQ(after(kFiles, [&] { return error_of(::unlink(outside().c_str())); }).exit_code, EACCES);
  EXPECT_EQ(after(kFiles, [&] { return write_file(scratch() / "file"); }).exit_code, 0);
  EXPECT_EQ(after(kFiles, [&] { return std::ifstream(outside()).good() ? 0 : 1; }).exit_code, 0);
}

TEST_F(Sandbox, LandlockHidesOtherProcesses) {
  SKIP_WITHOUT(kFiles, "landlock");
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/environ";
  const auto attempt = [&] { return error_of(::open(path.c_str(), O_RDONLY)); };
  EXPECT_EQ(in_child(attempt).exit_code, 0);
  EXPECT_EQ(after(kFiles, attempt).exit_code, EACCES);
}

TEST_F(Sandbox, PrivilegesAreGoneForGood) {
  const auto attempt = [] {
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 1;
    if (::prctl(PR_GET_DUMPABLE) != 0) return 2;
    return ::sethostname("x", 1) == 0 || errno != EPERM ? 3 : 0;
  };
  EXPECT_NE(in_child(attempt).exit_code, 0);
  EXPECT_EQ(after(kPrivileges, attempt).exit_code, 0);
}

TEST_F(Sandbox, LimitsHold) {
  ProcessLimits limits;
  limits.memory_bytes = std::int64_t{1} << 30;
  limits.file_bytes = 1 << 20;
  limits.open_files = 32;
  limits.processor_time_s = 1000;
  const Step step = [&](const fs::path&) { return limit_resources(limits); };
  const auto write_much = [&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const int fd = ::memfd_create("file", 0);
    return error_of(::pwrite(fd, "x", 1, 2 << 20));
  };
  EXPECT_EQ(in_child(write_much).exit_code, 0);
  EXPECT_EQ(after(step, write_much).exit_code, EFBIG);
  const auto open_many = [] {
    for (int i = 0; i < 40; ++i)
      if (::dup(STDERR_FILENO) < 0) return errno;
    return 0;
  };
  EXPECT_EQ(in_child(open_many).exit_code, 0);
  EXPECT_EQ(after(step, open_many).exit_code, EMFILE);
  const auto read_limit = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_CPU, &limit);
    return limit.rlim_max == 1000 ? 0 : 1;
  };
  EXPECT_EQ(in_child(read_limit).exit_code, 1);
  EXPECT_EQ(after(step, read_limit).exit_code, 0);
}

TEST_F(Sandbox, MemoryBombEndsAtTheLimit) {
  ProcessLimits limits = device_limits(0);
  const Step step = [&](const fs::path&) { return limit_resources(limits); };
  SKIP_WITHOUT(step, "memory limit");
  // Address space alone, so that the bomb harms nobody without a limit either.
  const auto bomb = [&] {
    constexpr std::size_t kBlock = std::size_t{1} << 28;
    for (std::int64_t taken = 0; taken < limits.memory_bytes; taken += kBlock)
      if (::mmap(nullptr, kBlock, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        return taken >= (std::int64_t{4} << 30) ? errno : 99;
    return 0;
  };
  EXPECT_EQ(in_child(bomb).exit_code, 0);
  EXPECT_EQ(after(step, bomb).exit_code, ENOMEM);
}

TEST_F(Sandbox, ProcessLimitForbidsForks) {
  const Step step = [](const fs::path&) { return limit_resources(device_limits(0)); };
  SKIP_WITHOUT(step, "process limit");
  const auto fork = [] {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    return error_of(pid);
  };
  EXPECT_EQ(in_child(fork).exit_code, 0);
  EXPECT_EQ(after(step, fork).exit_code, EAGAIN);
}

TEST_F(Sandbox, MemoryVictimSaysSo) {
  const Step step = [](const fs::path&) { return become_memory_victim(); };
  SKIP_WITHOUT(step, "memory victim");
  const auto read_score = [] {
    int score = 0;
    std::ifstream("/proc/self/oom_score_adj") >> score;
    return score == 1000 ? 0 : 1;
  };
  EXPECT_EQ(after(step, read_score).exit_code, 0);
}

TEST(DeviceLimits, GrowWithTheMachine) {
  constexpr std::int64_t kGiB = std::int64_t{1} << 30;
  EXPECT_EQ(device_limits(4 * kGiB).memory_bytes, 6 * kGiB);
  EXPECT_EQ(device_limits(64 * kGiB).memory_bytes, 32 * kGiB);
}

TEST(MeasureJson, SaysWhatIsMissing) {
  const Json json =
      to_json(std::vector<Measure>{active_measure("a", "b"), missing_measure("c", "d", "not here"),
                                   measure_by("e", "f", false, EPERM)});
  EXPECT_EQ(json[0]["active"], true);
  EXPECT_EQ(json[0]["why_not"], "");
  EXPECT_EQ(json[1]["why_not"], "not here");
  EXPECT_EQ(json[2]["why_not"], "Operation not permitted");
}

}  // namespace
}  // namespace fusetune
