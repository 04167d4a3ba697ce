// The system-call filter: each call that it stops works without it.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <functional>
#include <thread>

#include "harness/sandbox/filter.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/sandbox/system_call.hpp"
#include "tests/sandbox/in_child.hpp"

namespace fusetune {
namespace {

using testing::HasSubstr;

class SystemCalls : public testing::Test {
 protected:
  void SetUp() override {
    const ChildEnd end = in_child([] { return seal() ? 0 : 1; });
    if (end.exit_code != 0) GTEST_SKIP() << "system calls are not restricted here";
  }

  static bool seal() {
    drop_privileges();
    return restrict_system_calls().front().active;
  }

  /// `attempt` works without the filter, and with it ends in SIGSYS and this message.
  static void expect_stopped(const std::function<int()>& attempt, const std::string& message) {
    EXPECT_EQ(in_child(attempt).exit_code, 0) << message;
    const ChildEnd end = in_child([&] {
      seal();
      return attempt();
    });
    EXPECT_EQ(end.signal, SIGSYS) << message << ", exit code " << end.exit_code;
    EXPECT_THAT(end.output, HasSubstr(message));
  }

  /// `attempt` returns the same with and without the filter.
  static void expect_allowed(const std::function<int()>& attempt, const std::string& what) {
    EXPECT_EQ(in_child(attempt).exit_code, 0) << what;
    const ChildEnd end = in_child([&] {
      seal();
      return attempt();
    });
    EXPECT_EQ(end.exit_code, 0) << what << ": signal " << end.signal << " " << end.output;
  }
};

TEST_F(SystemCalls, SocketsAreStopped) {
  for (const int family : {AF_INET, AF_UNIX})
    expect_stopped([family] { return error_of(::socket(family, SOCK_STREAM, 0)); },
                   "socket(): device workers have no network");
}

TEST_F(SystemCalls, ProcessesAreStopped) {
  const auto fork = [] {
    // The library's own fork() blocks signals meanwhile, so SIGSYS would end it without a word.
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) ::_exit(0);
    return error_of(pid);
  };
  expect_stopped(fork, "clone(): device workers start no processes");
  const auto exec = [] {
    ::execl("/bin/true", "true", nullptr);
    return errno;
  };
  expect_stopped(exec, "execve(): device workers start no processes");
}

TEST_F(SystemCalls, WritingFilesIsStopped) {
  for (const int flags : {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND})
    expect_stopped([flags] { return error_of(::open("/dev/null", flags)); },
                   "openat(): device workers change no files");
  expect_stopped(
      [] {
        const int made = ::open("/tmp", O_TMPFILE | O_RDWR, 0600);
        return made >= 0 || errno == EOPNOTSUPP ? 0 : errno;
      },
      "device workers change no files");
  expect_stopped([] { return ::unlink("/no/such/file") < 0 && errno == ENOENT ? 0 : 1; },
                 "unlink(): device workers change no files");
}

TEST_F(SystemCalls, OtherProcessesAreStopped) {
  expect_stopped([] { return error_of(::kill(::getppid(), 0)); },
                 "kill(): device workers reach no other process");
  expect_stopped([] { return ::kill(-1, 0) == 0 || errno == ESRCH ? 0 : errno; },
                 "kill(): device workers reach no other process");
}

TEST_F(SystemCalls, LimitsCannotBeRaised) {
  const auto raise_limit = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return error_of(::setrlimit(RLIMIT_NOFILE, &limit));
  };
  expect_stopped(raise_limit, "prlimit64()");
}

TEST_F(SystemCalls, UnknownCallsAreNotThere) {
  const ChildEnd end = in_child([] {
    seal();
    return static_cast<int>(error_of(::syscall(9999)));
  });
  EXPECT_EQ(end.exit_code, ENOSYS);
}

TEST_F(SystemCalls, AWorkerCanWork) {
  expect_allowed([] { return error_of(::open("/proc/self/status", O_RDONLY)); }, "reading");
  expect_allowed(
      [] {
        const int fd = ::memfd_create("copy", MFD_CLOEXEC);
        if (::write(fd, "x", 1) != 1) return errno;
        void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        return memory == MAP_FAILED ? errno : 0;
      },
      "copies of code");
  expect_allowed([] { return ::dlopen("libgcc_s.so.1", RTLD_NOW) != nullptr ? 0 : 1; }, "dlopen");
  expect_allowed([] { return error_of(::kill(::getpid(), 0)); }, "signals to itself");
  expect_allowed(
      [] {
        int done = 0;
        std::thread([&done] { done = 1; }).join();
        return done - 1;
      },
      "threads");
  expect_allowed(
      [] {
        std::string memory(std::size_t{1} << 24, 'x');
        return memory.back() == 'x' ? 0 : 1;
      },
      "memory");
}

#if defined(__x86_64__)
/// getpid() in code of its own: mov eax, 39; syscall; ret.
TEST_F(SystemCalls, CodeThatCameLaterMakesNone) {
  const auto attempt = [] {
    constexpr unsigned char kCode[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
    void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memcpy(memory, kCode, sizeof kCode);
    return reinterpret_cast<long (*)()>(memory)() == ::getpid() ? 0 : 1;
  };
  expect_stopped(attempt, "getpid(): kernels make no system calls");
}
#endif

TEST(LoadedCode, HoldsThisCodeAndTheLibrarys) {
  const std::vector<CodeRange> ranges = loaded_code();
  const auto holds = [&](const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    return std::any_of(ranges.begin(), ranges.end(), [place](const CodeRange& range) {
      return place >= range.begin && place < range.end;
    });
  };
  EXPECT_TRUE(holds(reinterpret_cast<const void*>(&in_child)));
  EXPECT_TRUE(holds(::dlsym(RTLD_DEFAULT, "getpid")));
  int on_the_stack = 0;
  EXPECT_FALSE(holds(&on_the_stack));
}

TEST(FilterProgram, TellsAddressesApartOnBothSidesOf4GiB) {
  // Code of this process in ranges that are cut at each 4 GiB: everything from 0 to the stack.
  const ChildEnd inside = in_child([] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    FilterProgram filter;
    const auto here = reinterpret_cast<std::uint64_t>(::dlsym(RTLD_DEFAULT, "getppid"));
    filter.stop_calls_from_outside(
        {{here - (std::uint64_t{5} << 32), here + (std::uint64_t{5} << 32)}});
    filter.otherwise_allow();
    if (!filter.install()) return 50;
    return ::getppid() > 0 ? 0 : 1;
  });
  if (inside.exit_code == 50) GTEST_SKIP() << "no filters here";
  EXPECT_EQ(inside.exit_code, 0) << inside.signal;
  const ChildEnd outside = in_child([] {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    FilterProgram filter;
    const auto here = reinterpret_cast<std::uint64_t>(::dlsym(RTLD_DEFAULT, "getppid"));
    filter.stop_calls_from_outside(
        {{here - (std::uint64_t{5} << 32), here - (std::uint64_t{3} << 32)},
         {here + (std::uint64_t{3} << 32), here + (std::uint64_t{5} << 32)}});
    filter.otherwise_allow();
    return filter.install() ? 0 : 50;
  });
  EXPECT_EQ(outside.signal, SIGSYS);
}

TEST(DenyNetwork, RefusesSocketsAndNothingElse) {
  const auto attempt = [] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); };
  EXPECT_EQ(in_child(attempt).exit_code, 0);
  const ChildEnd end = in_child([&] {
    drop_privileges();
    if (!deny_network().front().active) return 50;
    return attempt();
  });
  if (end.exit_code == 50) GTEST_SKIP() << "no filters here";
  EXPECT_EQ(end.exit_code, EACCES);
  const ChildEnd program = in_child([] {
    drop_privileges();
    deny_network();
    ::execl("/bin/true", "true", nullptr);
    return errno;
  });
  EXPECT_EQ(program.exit_code, 0);
}

TEST(RefusalText, NamesTheCallAndTheReason) {
  if (known_system_calls().empty()) GTEST_SKIP() << "the calls of this processor are not known";
  EXPECT_EQ(refusal_text({SYS_connect, {}}), "connect(): device workers have no network");
  EXPECT_EQ(refusal_text({SYS_openat, {0, 0, O_CREAT | O_WRONLY}}),
            "openat(): device workers change no files");
  EXPECT_EQ(refusal_text({SYS_openat, {0, 0, O_RDONLY}}), "openat(): kernels read no files");
  EXPECT_EQ(refusal_text({SYS_write, {}}), "write(): kernels make no system calls");
  EXPECT_EQ(refusal_text({99999, {}}), "system call 99999: kernels make no system calls");
}

}  // namespace
}  // namespace fusetune
