#pragma once
// What the fake runtime knows: the objects that exist, and the failures that are planned.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fake_hip.hpp"

namespace fake_hip {

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
  double now_us = 0;
  bool capturing = false;
  bool capture_broken = false;
};

State& state();

/// Notes a call; what it has to answer with before it does anything.
hipError_t begin(const char* call);
/// The failure of a call that was used wrongly.
hipError_t misuse();

void created(const char* kind);
void destroyed(const char* kind);

}  // namespace fake_hip
