#include "harness/verify/golden.hpp"

#include <fmt/format.h>

#include <cstring>
#include <exception>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/verify/golden_mapping.hpp"
#include "harness/verify/prove.hpp"
#include "harness/verify/results.hpp"

namespace fusetune {

namespace {

/// Golden rows are dense; ours may be padded.
void load_rows(const StoredTensor& from, TensorImage& image) {
  for (std::int64_t row = 0; row < image.filled_rows(); ++row)
    std::memcpy(image.bytes.data() + row * image.stride_bytes(),
                from.bytes.data() + row * image.row_bytes(),
                static_cast<std::size_t>(image.row_bytes()));
}

TensorImages golden_inputs(const GoldenMapping& mapping, const Case& which, Poison poison) {
  TensorImages images;
  std::size_t ordinal = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    TensorImage& image = images[tensor->name] = TensorImage(shape_of(which, *tensor));
    fill_elements(image, poison);
    fill_padding(image, poison, ordinal++);
    if (tensor->role == Role::in) load_rows(mapping.tensor(*tensor, image.shape), image);
  }
  return images;
}

TensorImages golden_outputs(const GoldenMapping& mapping, const Case& which,
                            const TensorImages& initial) {
  TensorImages images;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::in || tensor->role == Role::workspace) continue;
    TensorImage& image = images[tensor->name] = initial.at(tensor->name);
    load_rows(mapping.tensor(*tensor, image.shape), image);
  }
  return images;
}

/// A pass that starts from the golden inputs and expects the golden outputs.
Pass golden_pass(const GoldenMapping& mapping, const Case& which, Poison poison) {
  Pass pass;
  pass.poison = poison;
  pass.initial = golden_inputs(mapping, which, poison);
  pass.expected = golden_outputs(mapping, which, pass.initial);
  return pass;
}

}  // namespace

ProofReport prove_golden(Device& device, const RunnableVariant& variant, const Case& which,
                         const GoldenCase& golden, const ProofOptions& options) {
  const GoldenMapping mapping(*which.geometry.family, golden);
  golden_pass(mapping, which,
              Poison::a);  // what does not fit is the user's error, not the kernel's
  PassSource source;
  source.passes = 2;
  source.reference = reference::find(which.geometry.family->reference);
  source.varies = false;
  source.initial = [&](int, Poison poison, int) { return golden_inputs(mapping, which, poison); };
  source.expect = [&](Pass& pass) { pass.expected = golden_outputs(mapping, which, pass.initial); };
  return prove(device, variant, which, options, source);
}

ProofReport compare_reference_with_golden(const reference::Reference& reference, const Case& which,
                                          const GoldenCase& golden) {
  const GoldenMapping mapping(*which.geometry.family, golden);
  std::vector<Pass> passes;
  passes.push_back(golden_pass(mapping, which, Poison::a));
  Findings findings;
  ProofReport report;
  report.mode = "reference";
  report.passes = 1;
  try {
    passes[0].actual = expected_results(which, reference, passes[0].initial, Poison::a);
    check_results(which, passes, Explainer(which, &reference, nullptr, passes), &findings);
    check_compared(which, &findings);
    findings.conclude(&report);
  } catch (const std::runtime_error& error) {
    report.outcome = {Status::verification_failed, error.what()};
    report.failed_check = "exact";
  }
  return report;
}

}  // namespace fusetune
