#pragma once
// Golden cases: inputs and outputs of code that this project did not write, as safetensors.

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/verify/images.hpp"
#include "harness/verify/proof.hpp"
#include "harness/verify/safetensors.hpp"
#include "reference/reference.hpp"

namespace fusetune {

struct GoldenCase {
  std::string name;    ///< "inter0"
  std::string family;  ///< the file's own name of the operation: "split_interleaved"
  Json params;
  std::string source;                           ///< what made the outputs
  std::map<std::string, StoredTensor> tensors;  ///< by their names in the file, lent ones as well
  std::set<std::string> lent;                   ///< of them, those of another case
  bool lends = false;                           ///< others take its tensors as their inputs
};

/// All cases of a file, in its order. Throws UserError: not readable, no list of cases, a tensor
/// that a case names but the file lacks or has in another shape, inputs of a case that is not there
/// or does not have them itself.
std::vector<GoldenCase> read_golden(const std::filesystem::path& path);
std::vector<GoldenCase> golden_cases(SafetensorsFile file, const std::string& name);

/// The one of that name. Throws UserError when the file has none.
GoldenCase read_golden_case(const std::filesystem::path& path, const std::string& name);

/// Whether `golden` of the family's family.yaml maps this case.
bool maps_golden(const Family& family, const GoldenCase& golden);

/// The case that a golden one is, through the mapping. Throws UserError naming what is missing.
Case case_of_golden(const std::shared_ptr<const Family>& family, const GoldenCase& golden);

/// What does not fit is the user's error, not the kernel's. Throws UserError.
void require_golden_fits(const Case& which, const GoldenCase& golden);

/// Runs the variant on the golden inputs and compares its outputs with the golden ones, byte for
/// byte, with the guard, poison and determinism checks of prove(). Throws UserError when the golden
/// case does not fit.
ProofReport prove_golden(Device& device, const RunnableVariant& variant, const Case& which,
                         const GoldenCase& golden, const ProofOptions& options);

/// The same comparison for a reference: no device, one pass.
ProofReport compare_reference_with_golden(const reference::Reference& reference, const Case& which,
                                          const GoldenCase& golden);

}  // namespace fusetune
