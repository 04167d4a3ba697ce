#pragma once
// Why an element is wrong, in words: where it lies, what it holds and where that came from, what it
// should hold.

#include <span>
#include <string>

#include "harness/verify/images.hpp"
#include "harness/verify/inputs.hpp"
#include "harness/verify/proof.hpp"
#include "harness/verify/truths.hpp"
#include "reference/reference.hpp"

namespace fusetune {

/// One run with what it started from and what it should have given.
struct Pass {
  Poison poison = Poison::a;
  TensorImages initial;                            ///< of all tensors
  TensorImages expected;                           ///< of the result tensors
  TensorImages actual;                             ///< of the result tensors
  Truths truths;           ///< of result tensors that are not exact
  std::string name;                                ///< "numbers 0", "normal", "zeros": which inputs
  std::string content;  ///< names `poison`, `initial`, `expected` and `truths`; "": has no name
};

class Explainer {
 public:
  /// `inputs` made the first passes; nullptr when the inputs carry no element numbers.
  Explainer(const Case& which, const reference::Reference* reference, const Inputs* inputs,
            std::span<const Pass> passes)
      : which_(which), reference_(reference), inputs_(inputs), passes_(passes) {}

  /// "q of head 3, element 17, token 5".
  std::string place(const std::string& tensor, std::int64_t index) const;

  /// For an element that differs from what pass `at` expects.
  Mismatch wrong(const std::string& tensor, std::int64_t index, const Pass& at) const;
  /// For an element that still holds what it held before the launches.
  Mismatch unwritten(const std::string& tensor, std::int64_t index, bool is_out) const;
  /// For an element that its rules judge: `judgement` is what the ladder says of it.
  Mismatch judged(const std::string& tensor, std::int64_t index, const std::string& judgement,
                  const Pass& at) const;
  /// For an inout element that had to stay as it was.
  Mismatch touched(const std::string& tensor, std::int64_t index, const Pass& at) const;

 private:
  using Images = TensorImages Pass::*;
  /// "v of head 1, token 5", "zero", "the row padding of qkvz"; "" when unknown.
  std::string origin(Images images, const std::string& tensor, std::int64_t index) const;
  std::string padding_origin(Images images, const std::string& tensor, std::int64_t index) const;
  bool numbered(std::int64_t element_bytes) const;
  /// "x[3, 17] = 1.5, weight[17] = -0.25": elements of inputs whose dimensions are among those of
  /// the tensor, at the same places.
  std::string inputs_of(const std::string& tensor, std::int64_t index, const Pass& at) const;
  std::string should_hold(const std::string& tensor, std::int64_t index) const;

  const Case& which_;
  const reference::Reference* reference_;
  const Inputs* inputs_;
  std::span<const Pass> passes_;
};

}  // namespace fusetune
