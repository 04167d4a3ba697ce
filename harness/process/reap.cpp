#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "harness/process/spawn.hpp"

namespace fusetune {

namespace {

struct ProcessStat {
  char state = '?';
  pid_t session = 0;
};

std::optional<ProcessStat> read_stat(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name is in brackets and may itself hold any character, brackets too.
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(after_name + 1));
  ProcessStat stat;
  pid_t parent = 0;
  pid_t group = 0;
  if (!(fields >> stat.state >> parent >> group >> stat.session)) return std::nullopt;
  return stat;
}

/// Returns how many living processes of the session it signalled.
int kill_session_once(pid_t session) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (folder == nullptr) return 0;
  int signalled = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    const auto stat = read_stat(name);
    if (!stat || stat->session != session || stat->state == 'Z' || stat->state == 'X') continue;
    if (::kill(static_cast<pid_t>(std::atoi(name.c_str())), SIGKILL) == 0) ++signalled;
  }
  return signalled;
}

}  // namespace

bool has_exited(pid_t pid) {
  siginfo_t info{};
  for (;;) {
    if (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
      return info.si_pid == pid;
    if (errno != EINTR) return true;  // not our child any more
  }
}

std::optional<ExitState> reap(pid_t pid, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  auto pause = std::chrono::microseconds(100);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) {
      if (WIFSIGNALED(status)) return ExitState{0, WTERMSIG(status)};
      return ExitState{WEXITSTATUS(status), 0};
    }
    // With SIGCHLD ignored the kernel reaps by itself and the state is lost.
    if (ended < 0 && errno != EINTR) return ExitState{};
    if (std::chrono::steady_clock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(5000));
  }
}

void kill_group(pid_t leader) { ::kill(-leader, SIGKILL); }

void kill_session(pid_t leader) {
  kill_group(leader);
  // A process may have forked while the list was read; a killed one cannot fork again, so a few
  // passes settle it. The bound is for processes that the kernel does not let go.
  for (int pass = 0; pass < 5 && kill_session_once(leader) > 0; ++pass)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace fusetune
