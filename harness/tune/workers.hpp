#pragma once
// The worker roles of the executable: what "fusetune worker ROLE" runs.

#include <filesystem>
#include <string>

namespace fusetune {

/// Serves "compile" or "device" requests until the supervisor closes the pipe, after giving up what
/// the role does not need. Temporary files go to `scratch`. Returns the process' exit code.
int run_worker(const std::string& role, int in_fd, int out_fd,
               const std::filesystem::path& scratch);

}  // namespace fusetune
