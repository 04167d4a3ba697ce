// Which system calls a worker may make.
#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include "harness/sandbox/filter.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/sandbox/system_call.hpp"

namespace fusetune {

namespace {

constexpr const char* kName = "system calls";
constexpr const char* kRefuses =
    "system calls of kernels, and of the worker all that make sockets, processes or files";
constexpr const char* kNetworkName = "no sockets";
constexpr const char* kNetworkRefuses = "connections to other machines and to this one";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// For a call that no kernel made, or one made while it was loaded: there is no way back into the
/// worker, so it says why and dies of the signal.
void on_refused_call(int, siginfo_t* info, void* context) {
  const std::string text = fmt::format("stopped outside of a kernel's launch: {}\n",
                                       refusal_text(refused_call(*info, context)));
  [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, text.data(), text.size());
  ::signal(SIGSYS, SIG_DFL);
  ::raise(SIGSYS);
}

void handle_refused_calls() {
  struct sigaction action {};
  action.sa_sigaction = on_refused_call;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigaction(SIGSYS, &action, nullptr);
}

void add_call(FilterProgram& filter, const SystemCall& call) {
  const auto self = static_cast<std::uint32_t>(::getpid());
  constexpr std::uint32_t kAllBits = 0xffffffff;
  constexpr std::uint32_t kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
  switch (call.kind) {
    case CallKind::harmless:
      return filter.allow(call.number);
    case CallKind::opens:
      return filter.allow_where(call.number, call.number == SYS_openat ? 2 : 1, kWriting, 0);
    case CallKind::signals:
      return filter.allow_where(call.number, 0, kAllBits, self);
    case CallKind::threads:
      return filter.allow_where(call.number, 0, CLONE_THREAD, CLONE_THREAD);
    case CallKind::limits:
      return filter.allow_where(call.number, 2, kAllBits, 0);
    case CallKind::declined:
      return;
    default:
      return filter.stop(call.number);
  }
}

}  // namespace

std::vector<Measure> restrict_system_calls() {
  if (kSanitized)
    return {missing_measure(kName, kRefuses, "the sanitizer makes system calls of its own")};
  if (known_system_calls().empty())
    return {missing_measure(kName, kRefuses, "the calls of this processor are not known")};
  FilterProgram filter;
  filter.stop_calls_from_outside(loaded_code());
  for (const SystemCall& call : known_system_calls()) add_call(filter, call);
  // The C library has another way, or reports an error, when the machine lacks a call.
  filter.otherwise_refuse(ENOSYS);
  handle_refused_calls();
  const bool active = filter.install();
  return {measure_by(kName, kRefuses, active, errno)};
}

std::vector<Measure> deny_network() {
  if (known_system_calls().empty())
    return {missing_measure(kNetworkName, kNetworkRefuses,
                            "the calls of this processor are not known")};
  FilterProgram filter;
  for (const SystemCall& call : known_system_calls())
    if (call.number == SYS_socket) filter.refuse(call.number, EACCES);
  filter.otherwise_allow();
  const bool active = filter.install();
  return {measure_by(kNetworkName, kNetworkRefuses, active, errno)};
}

}  // namespace fusetune
