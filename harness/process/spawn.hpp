#pragma once
// Starting and ending child processes: what run_process and the worker pool share.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fusetune {

struct SpawnRequest {
  std::vector<std::string> arguments;
  std::filesystem::path directory;  ///< where it runs, empty: here
  int output_fd = -1;               ///< becomes stdout and stderr
  std::vector<int> inherited_fds;   ///< stay open in the child; all others above 2 are closed
  /// A session of its own, so that kill_session() finds descendants whatever their process group;
  /// otherwise a process group alone.
  bool new_session = false;
  std::int64_t address_space_bytes = 0;  ///< RLIMIT_AS, 0 for none
};

struct Spawned {
  pid_t pid = -1;     ///< -1 when nothing was started
  std::string error;  ///< why: "cannot start 'x': No such file or directory"
};

/// Starts a program with stdin from /dev/null. It is killed when the calling thread ends.
Spawned spawn(const SpawnRequest& request);

struct ExitState {
  int exit_code = 0;
  int signal = 0;
};

/// Whether a child has ended; it stays a zombie, so its pid and group cannot be reused yet.
bool has_exited(pid_t pid);

/// Reaps a child, waiting for its end up to `limit`; nothing when it still runs.
std::optional<ExitState> reap(pid_t pid, std::chrono::milliseconds limit);

/// SIGKILL to a child's process group. The child must not have been reaped.
void kill_group(pid_t leader);

/// SIGKILL to all processes of a child's session. The child must not have been reaped.
void kill_session(pid_t leader);

}  // namespace fusetune
