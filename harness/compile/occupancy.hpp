#pragma once
// Waves that a SIMD of an AMD target holds at once, from what the code object says of a kernel.

#include <cstdint>
#include <optional>

#include "harness/compile/compiler.hpp"

namespace fusetune {

/// Waves on the fullest SIMD with registers, LDS and block size of the kernel; 0 when not even one
/// block fits. Nothing for a target or a register count that is not known. `facts.vgpr` is the code
/// object's own count: on gfx90a and later it includes the AGPRs.
std::optional<std::int64_t> occupancy_waves(const Target& target, const KernelFacts& facts,
                                            std::int64_t block_threads);

}  // namespace fusetune
