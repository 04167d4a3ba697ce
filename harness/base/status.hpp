#pragma once
// What became of a step. One list for compilation, proof, launch and measurement.

#include <optional>
#include <string>
#include <string_view>

namespace fusetune {

enum class Status {
  ok,
  pruned,
  unsupported_target,
  compile_error,
  compiler_crash,
  compile_timeout,
  resource_limit,
  launch_error,
  kernel_fault,
  kernel_timeout,
  out_of_memory,
  worker_lost,
  verification_failed,
  unwritten_output,
  input_modified,
  out_of_bounds,
  uninitialised_read,
  race,
  divergent_barrier,
  misaligned,
  nondeterministic,
  skipped,
};

std::string_view to_string(Status status);
std::optional<Status> status_from_string(std::string_view text);

/// A status with what a person needs to know about it; message is empty when all is well.
struct Outcome {
  Status status = Status::ok;
  std::string message;

  bool ok() const { return status == Status::ok; }
};

/// Exit codes of the program (spec: measurement 2.6). Where several apply the first of
/// verification_failed, kernel_crash, regression, unusable, inconclusive is returned.
enum class ExitCode : int {
  pass = 0,
  regression = 1,
  verification_failed = 2,
  inconclusive = 3,
  unusable = 4,
  kernel_crash = 5,
  usage = 64,
  internal = 70,
  interrupted = 130,
};

/// The graver of two: 130 > 70 > 2 > 5 > 1 > 4 > 64 > 3 > 0.
ExitCode worst_of(ExitCode a, ExitCode b);

/// The exit code that a run ending with this status as its worst result returns.
ExitCode exit_code_of(Status status);

}  // namespace fusetune
