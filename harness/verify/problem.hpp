#pragma once
// A case handed to its reference, and an element named in the words of the operation.

#include <string>

#include "harness/spec/geometry.hpp"
#include "harness/verify/images.hpp"
#include "reference/reference.hpp"

namespace fusetune {

/// `inputs` back the tensors that are only read, `results` those that are written; both must
/// outlive the problem. References do not write inputs; expected_results() checks that.
reference::Problem make_problem(const Case& which, const TensorImages& inputs,
                                TensorImages& results);

/// What a correct run makes of `initial`, by the reference alone. Throws std::runtime_error when
/// the reference fails or changes an input.
/// `truths`, where given, gets those of every result that is not compared byte for byte.
TensorImages expected_results(const Case& which, const reference::Reference& reference,
                              const TensorImages& initial, Poison poison,
                              std::map<std::string, reference::Truth>* truths = nullptr);

/// "v of head 1, element 17, token 5", or "z[2, 3, 17]" when the reference has no words for it.
std::string describe(const Case& which, const reference::Reference* reference,
                     const std::string& tensor, std::int64_t index);

}  // namespace fusetune
