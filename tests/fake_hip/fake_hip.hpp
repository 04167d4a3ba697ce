#pragma once
// A HIP runtime without a GPU: memory of this process, an empty time line, and calls that fail as
// a test asks. Kernels do nothing, but on a live machine (fake_state.hpp). It counts what is
// created and not given back.

#include <map>
#include <string>
#include <vector>

#include "hip/hip_runtime_api.h"

namespace fake_hip {

struct Failure {
  std::string call;  ///< "hipMalloc"
  int nth = 1;       ///< the first is 1
  hipError_t error = hipErrorUnknown;
  /// After it every call fails so, as after a kernel's fault.
  bool sticky = false;
  /// It never returns, as where a kernel never ends.
  bool hangs = false;
};

/// A new process, as far as the runtime knows: nothing exists, nothing was called.
void reset();

void plan(Failure failure);
/// Whether a planned failure has come to pass.
bool failed();

/// The GPUs of the machine, all alike but for their numbers; 1 after reset().
void set_device_count(int count);
/// What they are; "gfx942:sramecc+:xnack-" after reset().
void set_architecture(const std::string& name);
/// Of the driver, 0 for none; that of the runtime after reset().
void set_driver_version(int version);

/// How often each call was made.
std::map<std::string, int> calls();
/// Names of calls in their order.
std::vector<std::string> trace();
/// "2 events, 1 allocation" that exist, "" for nothing.
std::string leaks();

}  // namespace fake_hip
