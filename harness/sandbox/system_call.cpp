#include "harness/sandbox/system_call.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <cstring>

namespace fusetune {

namespace {

constexpr int kWriting = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

bool opens_for_writing(const RefusedCall& call, const SystemCall& known) {
  const std::size_t flags = std::strcmp(known.name, "open") == 0 ? 1 : 2;
  return (call.arguments[flags] & kWriting) != 0;
}

const char* reason(const RefusedCall& call, const SystemCall& known) {
  switch (known.kind) {
    case CallKind::network:
      return "device workers have no network";
    case CallKind::processes:
    case CallKind::threads:
      return "device workers start no processes";
    case CallKind::files:
      return "device workers change no files";
    case CallKind::opens:
      return opens_for_writing(call, known) ? "device workers change no files"
                                            : "kernels read no files";
    case CallKind::signals:
    case CallKind::others:
      return "device workers reach no other process";
    case CallKind::system:
    case CallKind::limits:
      return "device workers change nothing about the system or themselves";
    case CallKind::harmless:
    case CallKind::declined:
      break;
  }
  return "kernels make no system calls";
}

}  // namespace

RefusedCall refused_call(const siginfo_t& info, const void* context) {
  RefusedCall call;
  call.number = info.si_syscall;
#if defined(__x86_64__)
  const greg_t* registers = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs;
  call.arguments = {static_cast<std::uint64_t>(registers[REG_RDI]),
                    static_cast<std::uint64_t>(registers[REG_RSI]),
                    static_cast<std::uint64_t>(registers[REG_RDX])};
#else
  static_cast<void>(context);
#endif
  return call;
}

std::string refusal_text(const RefusedCall& call) {
  for (const SystemCall& known : known_system_calls())
    if (known.number == call.number)
      return fmt::format("{}(): {}", known.name, reason(call, known));
  return fmt::format("system call {}: kernels make no system calls", call.number);
}

}  // namespace fusetune
