#include "harness/device/host/fault_guard.hpp"

#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

namespace fusetune {

namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};
constexpr int kSignalCount = 5;
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

/// MOVAPS and MOVDQA, which demand their alignment: 0F 28, 29, 2B, 6F, 7F or E7, after 66 or REX.
bool is_aligned_vector_move(const unsigned char* code) {
  if (*code == 0x66) ++code;
  if ((*code & 0xf0) == 0x40) ++code;
  if (*code != 0x0f) return false;
  for (const int opcode : {0x28, 0x29, 0x2b, 0x6f, 0x7f, 0xe7})
    if (code[1] == opcode) return true;
  return false;
}

/// Whether some register holds what cannot be an address: the fault may be due to that.
bool holds_impossible_address(const greg_t* registers) {
  for (const int name : {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_R8, REG_R9,
                         REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15}) {
    const auto high = registers[name] >> 47;
    if (high != 0 && high != -1) return true;
  }
  return false;
}

HardwareFault describe(int signal, const siginfo_t& info, const ucontext_t& context) {
  HardwareFault fault;
  fault.signal = signal;
  fault.instruction = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  if (signal == SIGSYS) {
    fault.refused = refused_call(info, &context);
    fault.instruction -= 2;  // the call is over: its instruction lies before
  }
  fault.has_address = (signal == SIGSEGV || signal == SIGBUS) && info.si_code != kKernelCode;
  if (fault.has_address) fault.address = reinterpret_cast<std::uintptr_t>(info.si_addr);
  // g++ checks alignment before every access; clang leaves some copies to the processor.
  const bool unnamed = signal == SIGSEGV && !fault.has_address;
  fault.misaligned =
      signal == SIGILL ||
      (unnamed &&
       is_aligned_vector_move(reinterpret_cast<const unsigned char*>(fault.instruction)) &&
       !holds_impossible_address(context.uc_mcontext.gregs));
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
  // A stopped system call does not come again; who made the sandbox says what it was.
  const struct sigaction& sandbox = previous[kSignalCount - 1];
  if (signal == SIGSYS && (sandbox.sa_flags & SA_SIGINFO) != 0)
    return sandbox.sa_sigaction(signal, info, context);
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

void FaultGuard::leave() {
  if (guarded_run == nullptr) std::abort();
  GuardedRun* run = guarded_run;
  guarded_run = nullptr;
  run->fault = {};
  siglongjmp(run->back, 1);
}

}  // namespace fusetune
