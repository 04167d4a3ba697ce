#pragma once
// The worker roles of the executable: what "fusetune worker ROLE" runs.

#include <filesystem>
#include <string>

namespace fusetune {

/// What a worker is started with.
struct WorkerLinks {
  int in_fd = -1;
  int out_fd = -1;
  int note_fd = -1;               ///< step_note.hpp
  std::filesystem::path scratch;  ///< where temporary files go
};

/// Serves "compile" or "device" requests until the supervisor closes the pipe, after giving up what
/// the role does not need. Returns the process' exit code.
int run_worker(const std::string& role, const WorkerLinks& links);

}  // namespace fusetune
