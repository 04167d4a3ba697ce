#pragma once
// Child processes: started by exec in a process group of their own, killed with their children.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fusetune {

struct ProcessResult {
  int exit_code = 0;  ///< of a normal exit
  int signal = 0;     ///< that ended it, 0 for none
  bool timed_out = false;
  std::string output;  ///< stdout and stderr, the first 1 MiB
};

/// Runs a command to its end, with stdin from /dev/null; what it left running is killed.
/// `directory` is where it runs (empty: here). A program that cannot be started ends with exit code
/// 127 and the reason in `output`. After a time-out exit_code and signal are 0.
ProcessResult run_process(const std::vector<std::string>& arguments,
                          std::chrono::milliseconds limit,
                          const std::filesystem::path& directory = {});

/// This executable's own path, for starting workers.
std::filesystem::path self_path();

}  // namespace fusetune
