#pragma once
// What machine code says of a space: variants that are the same, and axes that change nothing.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/tune/compile_stage.hpp"

namespace fusetune {

/// An axis all of whose compiled values gave equal code and equal launches, for every choice of the
/// others that was compiled with more than one of them.
struct DeadAxis {
  std::string family, implementation, target, axis;
  std::int64_t choices = 0;  ///< of the other axes, in all geometries
};

/// Variants of one target that compiled, and how many of them have code and launches of their own.
struct CodeCount {
  std::string target;
  std::int64_t variants = 0;
  std::int64_t distinct = 0;
};

struct SpaceFacts {
  std::vector<DeadAxis> dead_axes;  ///< by family, implementation, target and name
  std::vector<CodeCount> codes;     ///< in the order of the plan's targets
};

SpaceFacts space_facts(const Plan& plan, const CompileSummary& compiled, const DeviceFacts& device);

}  // namespace fusetune
