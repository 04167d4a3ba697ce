#pragma once
// What a process that runs foreign code gives up, for good. Each function is one step, to be taken
// in this order while the process has one thread; what a machine does not offer is said and left
// out.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "harness/sandbox/measure.hpp"

namespace fusetune {

/// This process is the first to go when the machine runs out of memory.
std::vector<Measure> become_memory_victim();

/// A network and IPC namespace of its own, and all mounts read-only but `scratch`. Without the
/// right to make them a user namespace is tried.
std::vector<Measure> enter_namespaces(const std::filesystem::path& scratch);

/// Capabilities, privileges by exec, core dumps and tracing.
std::vector<Measure> drop_privileges();

/// Landlock: no file outside `scratch` is written, no TCP, no signals to other processes.
std::vector<Measure> restrict_files(const std::filesystem::path& scratch);

struct ProcessLimits {
  std::int64_t memory_bytes = 0;  ///< address space
  std::int64_t file_bytes = 0;    ///< of each file, copies of kernels in memory among them
  std::int64_t open_files = 0;
  std::int64_t processor_time_s = 0;
};

/// For a machine with this much memory.
ProcessLimits device_limits(std::int64_t machine_bytes);
std::int64_t machine_memory_bytes();

/// Also forbids new processes.
std::vector<Measure> limit_resources(const ProcessLimits& limits);

/// A seccomp filter. System calls from code that is loaded later are stopped, whichever they are;
/// of those from code that is here now only what a worker needs is allowed. A stopped call is a
/// SIGSYS.
std::vector<Measure> restrict_system_calls();

/// For processes that run compilers: sockets are refused with EACCES, all else is left alone.
std::vector<Measure> deny_network();

}  // namespace fusetune
