#pragma once
// The proof engine behind prove() and prove_golden(): passes from any source.

#include <functional>
#include <string>

#include "harness/verify/explain.hpp"
#include "harness/verify/problem.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

/// Where the passes of a proof come from.
struct PassSource {
  int passes = 2;       ///< two at least, for two poisons
  int core_passes = 2;  ///< the first so many, at every case; the others where it is thorough
  int calls = 1;        ///< in a row, `state` carried from one to the next
  /// What all tensors hold before a call of a pass; the same numbers give the same inputs.
  std::function<TensorImages(int number, Poison poison, int call)> initial;
  /// Fills `expected` and `truths` of a pass from its `initial`.
  std::function<void(Pass& pass)> expect;
  std::function<std::string(int number)> name;
  bool varies = true;                               ///< passes and calls differ in every input
  const reference::Reference* reference = nullptr;  ///< for words; may be nullptr
  const Inputs* inputs = nullptr;                   ///< nullptr when inputs carry no numbers
};

/// A pass that was not run yet. `carried`, where given, replaces initial images: the state that a
/// call left.
Pass make_pass(const PassSource& source, int number, Poison poison, int call = 0,
               const TensorImages* carried = nullptr);
/// Without what it should give: nobody asks.
Pass make_input_pass(const PassSource& source, int number, Poison poison, int call = 0,
                     const TensorImages* carried = nullptr);

ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const PassSource& source);

/// Against a given reference; nullptr fails, for nothing would be compared.
ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options, const reference::Reference* reference);

}  // namespace fusetune
