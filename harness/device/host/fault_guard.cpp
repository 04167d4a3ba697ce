#include "harness/device/host/fault_guard.hpp"

#include <csetjmp>
#include <csignal>
#include <cstring>
#include <mutex>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

namespace fusetune {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
constexpr int kSignalCount = 4;
constexpr int kKernelCode = 128;  ///< si_code of faults without an address

struct GuardedRun {
  sigjmp_buf back;
  HardwareFault fault;
};

// Signal handlers belong to the process and find their way by thread: this cannot be a member.
thread_local GuardedRun* guarded_run = nullptr;
std::mutex handlers_mutex;
int handler_users = 0;
struct sigaction previous[kSignalCount];

/// Handlers need a stack of their own: the fault may be that a fibre's stack is full.
class AlternateStack {
 public:
  AlternateStack() {
    memory_ = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    stack_t stack{};
    stack.ss_sp = memory_;
    stack.ss_size = kBytes;
    ::sigaltstack(&stack, &before_);
  }
  ~AlternateStack() {
    ::sigaltstack(&before_, nullptr);
    ::munmap(memory_, kBytes);
  }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

 private:
  static constexpr std::size_t kBytes = 64 * 1024;
  void* memory_ = nullptr;
  stack_t before_{};
};

HardwareFault describe(int signal, const siginfo_t& info, const ucontext_t& context) {
  HardwareFault fault;
  fault.signal = signal;
  fault.instruction = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  fault.has_address = (signal == SIGSEGV || signal == SIGBUS) && info.si_code != kKernelCode;
  if (fault.has_address) fault.address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  fault.write = (context.uc_mcontext.gregs[REG_ERR] & 2) != 0;
  return fault;
}

void on_fault(int signal, siginfo_t* info, void* context) {
  if (guarded_run != nullptr) {
    GuardedRun* run = guarded_run;
    guarded_run = nullptr;
    run->fault = describe(signal, *info, *static_cast<ucontext_t*>(context));
    siglongjmp(run->back, 1);
  }
  // Not ours: put the earlier handler back and let the instruction fault again. A signal that was
  // sent does not come again by itself.
  for (int i = 0; i < kSignalCount; ++i)
    if (kSignals[i] == signal) ::sigaction(signal, &previous[i], nullptr);
  if (info->si_code <= 0) ::raise(signal);
}

}  // namespace

FaultGuard::FaultGuard() {
  const std::lock_guard lock(handlers_mutex);
  if (handler_users++ > 0) return;
  struct sigaction action {};
  action.sa_sigaction = on_fault;
  // SA_NODEFER: the handler is left by a jump, which must not leave the signal blocked.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (int i = 0; i < kSignalCount; ++i) ::sigaction(kSignals[i], &action, &previous[i]);
}

FaultGuard::~FaultGuard() {
  const std::lock_guard lock(handlers_mutex);
  if (--handler_users > 0) return;
  for (int i = 0; i < kSignalCount; ++i) ::sigaction(kSignals[i], &previous[i], nullptr);
}

std::optional<HardwareFault> FaultGuard::run(void (*body)(void*), void* context) {
  thread_local AlternateStack alternate_stack;
  static_cast<void>(alternate_stack);
  GuardedRun run;
  if (sigsetjmp(run.back, 0) != 0) return run.fault;
  guarded_run = &run;
  body(context);
  guarded_run = nullptr;
  return std::nullopt;
}

}  // namespace fusetune
