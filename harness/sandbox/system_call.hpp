#pragma once
// The system calls that containment knows: which a worker needs, and what the others would do.

#include <signal.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace fusetune {

/// What a call does, as far as containment minds.
enum class CallKind {
  harmless,  ///< allowed to the worker's own code
  opens,     ///< a file: allowed for reading
  signals,   ///< a process: allowed for oneself
  threads,   ///< clone: allowed for threads
  limits,    ///< prlimit64: allowed for asking
  network,
  processes,
  files,   ///< changes what others see on disk
  others,  ///< looks into other processes or signals them
  system,
  declined,  ///< may be asked for, but is answered with ENOSYS
};

struct SystemCall {
  int number = -1;
  const char* name = "";
  CallKind kind = CallKind::system;
};

/// Empty where this processor's calls are not known.
std::span<const SystemCall> known_system_calls();

/// A call that the filter stopped, with its first arguments.
struct RefusedCall {
  int number = -1;
  std::array<std::uint64_t, 3> arguments{};
};

/// From what a SIGSYS handler is given.
RefusedCall refused_call(const siginfo_t& info, const void* context);

/// "socket(): device workers have no network".
std::string refusal_text(const RefusedCall& call);

}  // namespace fusetune
