#include "harness/process/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "harness/process/fd.hpp"

namespace fusetune {

namespace {

/// Where the child failed between fork and exec; sent to the parent.
struct ChildFailure {
  enum class Stage { directory, setup, exec } stage = Stage::exec;
  int error = 0;
};

/// As execvp looks for it, but before the fork: the child may only call what is async-signal-safe.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* variable = std::getenv("PATH");
  const std::string path = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string candidate = end == begin ? "." : path.substr(begin, end - begin);
    candidate += '/';
    candidate += name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return name;  // exec then reports that there is no such file
}

/// All that the child needs, made before the fork.
struct ChildPlan {
  std::string program;
  std::vector<char*> argv;
  const SpawnRequest* request = nullptr;
  pid_t parent = 0;
  int null_fd = -1;
  int report_fd = -1;
};

[[noreturn]] void fail_child(const ChildPlan& plan, ChildFailure::Stage stage) {
  const ChildFailure failure{stage, errno};
  // Best effort: without the report the parent sees an early exit with 127.
  [[maybe_unused]] const ssize_t n = ::write(plan.report_fd, &failure, sizeof failure);
  ::_exit(127);
}

void close_other_fds_on_exec() {
  if (::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int last = limit.rlim_cur < 65536 ? static_cast<int>(limit.rlim_cur) : 65536;
  for (int fd = STDERR_FILENO + 1; fd < last; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void restore_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool set_limits(const SpawnRequest& request) {
  // A crash is an ordinary result here; writing its core would only cost time and disk.
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (request.address_space_bytes <= 0) return true;
  const auto bytes = static_cast<rlim_t>(request.address_space_bytes);
  const rlimit address_space{bytes, bytes};
  return ::setrlimit(RLIMIT_AS, &address_space) == 0;
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void run_child(const ChildPlan& plan) {
  const SpawnRequest& request = *plan.request;
  restore_signals();
  const bool grouped = request.new_session ? ::setsid() >= 0 : ::setpgid(0, 0) == 0;
  if (!grouped || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    fail_child(plan, ChildFailure::Stage::setup);
  if (::getppid() != plan.parent) ::_exit(127);  // the parent died before prctl took effect
  if (::dup2(plan.null_fd, STDIN_FILENO) < 0 || ::dup2(request.output_fd, STDOUT_FILENO) < 0 ||
      ::dup2(request.output_fd, STDERR_FILENO) < 0 || !set_limits(request))
    fail_child(plan, ChildFailure::Stage::setup);
  if (!request.directory.empty() && ::chdir(request.directory.c_str()) != 0)
    fail_child(plan, ChildFailure::Stage::directory);
  close_other_fds_on_exec();
  for (const int fd : request.inherited_fds) ::fcntl(fd, F_SETFD, 0);
  ::execv(plan.program.c_str(), plan.argv.data());
  fail_child(plan, ChildFailure::Stage::exec);
}

/// fork with all signals blocked: a handler of the parent must not run in the child.
pid_t fork_quietly(const ChildPlan& plan) {
  sigset_t all;
  sigset_t previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  const pid_t pid = ::fork();
  if (pid == 0) run_child(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  errno = error;
  return pid;
}

std::string describe(const ChildFailure& failure, const SpawnRequest& request) {
  const char* reason = std::strerror(failure.error);
  if (failure.stage == ChildFailure::Stage::directory)
    return fmt::format("cannot start '{}' in {}: {}", request.arguments.front(),
                       request.directory.string(), reason);
  return fmt::format("cannot start '{}': {}", request.arguments.front(), reason);
}

}  // namespace

Spawned spawn(const SpawnRequest& request) {
  if (request.arguments.empty()) throw std::invalid_argument("spawn: no program given");
  ChildPlan plan;
  plan.program = find_program(request.arguments.front());
  for (const std::string& argument : request.arguments)
    plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  plan.request = &request;
  plan.parent = ::getpid();

  Spawned result;
  try {
    Pipe report = make_pipe();
    const FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null.is_open()) throw std::system_error(errno, std::generic_category(), "/dev/null");
    plan.null_fd = null.get();
    plan.report_fd = report.write.get();
    result.pid = fork_quietly(plan);
    if (result.pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
    report.write.close();
    std::string bytes;
    read_available(report.read.get(), bytes, sizeof(ChildFailure));
    if (bytes.size() == sizeof(ChildFailure)) {
      ChildFailure failure;
      std::memcpy(&failure, bytes.data(), sizeof failure);
      result.error = describe(failure, request);
    }
  } catch (const std::system_error& error) {
    result.error = fmt::format("cannot start '{}': {}", request.arguments.front(), error.what());
  }
  if (!result.error.empty() && result.pid > 0) {
    reap(result.pid, std::chrono::seconds(2));
    result.pid = -1;
  }
  return result;
}

}  // namespace fusetune
