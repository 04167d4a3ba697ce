#pragma once
// The proof engine behind prove() and prove_golden(): passes from any source.

#include <functional>

#include "harness/verify/explain.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

/// Where the passes of a proof come from.
struct PassSource {
  int passes = 2;  ///< two at least, for two poisons
  /// Initial images and expected results of a pass; the same number gives the same inputs.
  std::function<Pass(int number, Poison poison)> make;
  const reference::Reference* reference = nullptr;  ///< for words; may be nullptr
  const Inputs* inputs = nullptr;                   ///< nullptr when inputs carry no numbers
};

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const PassSource& source);

/// Against a given reference; nullptr fails, for nothing would be compared.
ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const reference::Reference* reference);

}  // namespace fusetune
