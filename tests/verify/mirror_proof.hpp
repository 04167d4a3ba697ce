#pragma once
// Proofs of the mirror family, and what tests ask of their reports.

#include <string>

#include "harness/verify/prove.hpp"
#include "tests/verify/mirror_family.hpp"

namespace fusetune::test {

inline ProofReport prove_mirror(MirrorProof& proof, std::uint64_t seed = 1,
                                int determinism_runs = 2,
                                const reference::Reference& reference = mirror_reference(),
                                ProofCache* cache = nullptr) {
  ProofOptions options;
  options.seed = seed;
  options.determinism_runs = determinism_runs;
  options.cache = cache;
  return prove(proof.device, proof.variant, proof.which, options, &reference);
}

/// -1 when the check did not run.
inline std::int64_t count_of(const ProofReport& report, const std::string& name) {
  for (const CheckCount& check : report.checks)
    if (check.name == name) return check.comparisons;
  return -1;
}

/// The family with one tensor changed, in place of the proof's.
template <typename Change>
void change_tensor(MirrorProof& proof, const std::string& name, const Change& change) {
  auto family = std::make_shared<Family>(*proof.which.geometry.family);
  for (TensorDecl& tensor : family->tensors)
    if (tensor.name == name) change(tensor);
  proof.which.geometry.family = family;
}

}  // namespace fusetune::test
