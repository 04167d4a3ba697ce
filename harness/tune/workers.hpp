#pragma once
// The worker roles of the executable: what "fusetune worker ROLE" runs.

#include <string>

namespace fusetune {

/// Serves "compile" or "device" requests until the supervisor closes the pipe. Returns the process'
/// exit code.
int run_worker(const std::string& role, int in_fd, int out_fd);

}  // namespace fusetune
