#pragma once
// Turns a processor fault inside a kernel into a value.

#include <cstdint>
#include <optional>

#include "harness/sandbox/system_call.hpp"

namespace fusetune {

struct HardwareFault {
  int signal = 0;
  bool has_address = false;  ///< the processor names none for misaligned and non-canonical ones
  bool misaligned = false;   ///< a trap of the alignment check, or of a vector access itself
  std::uintptr_t address = 0;
  bool write = false;
  std::uintptr_t instruction = 0;
  RefusedCall refused;  ///< of SIGSYS: what the sandbox stopped
};

/// While one lives, SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGSYS of guarded code come back from
/// run(). Faults elsewhere go to whoever handled them before.
class FaultGuard {
 public:
  FaultGuard();
  ~FaultGuard();
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;

  /// Runs body(context). After a fault the frames of body are gone without their destructors, so
  /// they must own nothing.
  std::optional<HardwareFault> run(void (*body)(void*), void* context);

  /// Ends the guarded run of this thread like a fault would, from any of its stacks: run() returns
  /// a fault whose signal is 0.
  [[noreturn]] static void leave();
};

}  // namespace fusetune
