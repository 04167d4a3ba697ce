#pragma once
// What the fake runtime knows: the objects that exist, and the failures that are planned.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fake_hip.hpp"

/// Streams run beside each other: each has its own end of what it was given.
struct ihipStream_t {
  double now_us = 0;
};
struct ihipEvent_t {
  double us = 0;
  bool recorded = false;
};

namespace fake_hip {

/// What a test asks of the machine through the environment, where it has no other way.
struct Machine {
  /// "FAKE_HIP_LIVE": kernels that the simulated device has built in run, take about so many
  /// microseconds each, and this machine waits for them. 0: they do nothing, in no time.
  double kernel_us = 0;
  std::size_t memory_bytes = std::size_t{1} << 32;  ///< "FAKE_HIP_MEMORY"
  std::size_t block_bytes_max = memory_bytes;       ///< "FAKE_HIP_BLOCK": of one allocation
  int cache_bytes = 4 << 20;                        ///< "FAKE_HIP_CACHE"
};
const Machine& machine();

/// Of a launch, in the stream that it runs in.
using Work = std::function<void(ihipStream_t* stream)>;

struct State {
  std::vector<Failure> failures;
  std::map<std::string, int> calls;
  std::vector<std::string> trace;
  bool failed = false;
  hipError_t sticky = hipSuccess;
  hipError_t last = hipSuccess;

  int device_count = 1;
  std::string architecture = "gfx942:sramecc+:xnack-";
  int driver_version = 60300000;

  std::map<std::string, int> existing;  ///< by kind: "allocation", "event", ...
  std::map<void*, std::size_t> memory;
  std::size_t memory_in_use = 0;
  std::set<ihipStream_t*> streams;    ///< as long as they exist
  ihipStream_t* capturing = nullptr;  ///< the stream that is captured
  std::vector<Work> captured;         ///< launches
  std::set<ihipEvent_t*> recorded;    ///< events, as long as they exist
  bool capture_broken = false;
};

State& state();

/// Notes a call; what it has to answer with before it does anything.
hipError_t begin(const char* call);
/// The failure of a call that was used wrongly.
hipError_t misuse();

/// A launch of a live machine: does its work, or has it recorded.
void work(ihipStream_t* stream, Work run);
/// The device is busy for so long, after what this stream was given before.
void pass_us(ihipStream_t* stream, double us);
/// Waits for a moment of the device's time. A machine that looks late says that the device was: its
/// clocks always agree, however busy the real machine is.
void wait_until(double us);

void created(const char* kind);
void destroyed(const char* kind);

}  // namespace fake_hip
