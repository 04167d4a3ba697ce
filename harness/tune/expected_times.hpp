#pragma once
// Milliseconds per step where nothing that ran before says better: means over the quickstart sweep,
// the time of each stage times its workers by its steps, on two shared cores.

#include "harness/spec/target.hpp"

namespace fusetune {

constexpr double kHostCompileMs = 180;
constexpr double kAmdCompileMs = 250;
constexpr double kProofMs = 480;

constexpr double expected_compile_ms(Platform platform) {
  return platform == Platform::host ? kHostCompileMs : kAmdCompileMs;
}

}  // namespace fusetune
