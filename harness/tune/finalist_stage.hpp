#pragma once
// Proves what is about to enter a table at cases that were too large for every variant.

#include <vector>

#include "harness/tune/proof_stage.hpp"

namespace fusetune {

/// One variant with a case beyond `proof_bytes_max`, to be proved because it is about to enter a
/// table: with the code that was timed.
struct Finalist {
  std::size_t geometry = 0;
  std::size_t variant = 0;
  Case which;
};

/// As many at a time as the machine has processors and memory for.
ProofSummary prove_finalists(const Plan& plan, const CompileSummary& compiled,
                             const std::vector<Finalist>& finalists, const DeviceProperties& device,
                             Session& session);

}  // namespace fusetune
