#include "harness/verify/golden.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/verify/codec.hpp"
#include "harness/verify/golden_mapping.hpp"
#include "harness/verify/problem.hpp"
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
  TensorImages images = poisoned_images(which, poison);
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    TensorImage& image = images.at(tensor->name);
    if (is_filled(tensor->role)) load_rows(mapping.before(*tensor, image.shape), image);
  }
  return images;
}

/// The elements of a tensor in the file, as numbers.
std::vector<double> numbers_of(const StoredTensor& stored) {
  const DType dtype = *dtype_of_stored(stored.dtype);
  const auto bytes = static_cast<std::size_t>(size_bytes(dtype));
  std::vector<double> numbers(stored.bytes.size() / bytes);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, stored.bytes.data() + i * bytes, bytes);
    numbers[i] = decode(dtype, bits);
  }
  return numbers;
}

std::vector<double> numbers_of(const TensorImage& image) {
  std::vector<double> numbers(static_cast<std::size_t>(image.shape.elements()));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = value_at(image, static_cast<std::int64_t>(i));
  return numbers;
}

/// The numbers as the image's type holds them.
void round_into(const std::vector<double>& numbers, TensorImage& image) {
  const auto bytes = static_cast<std::size_t>(image.element_bytes());
  StoredTensor rounded{"", image.shape.dims, std::vector<std::byte>(numbers.size() * bytes)};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint64_t bits = encode(image.shape.dtype, numbers[i]);
    std::memcpy(rounded.bytes.data() + i * bytes, &bits, bytes);
  }
  load_rows(rounded, image);
}

std::vector<const TensorDecl*> results_of(const Case& which) {
  std::vector<const TensorDecl*> results;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (tensor->role != Role::in && tensor->role != Role::workspace) results.push_back(tensor);
  return results;
}

/// Fills `expected` and `truths` of a pass. What the file gives before its last rounding is the
/// truth of an output; otherwise the reference gives it, or the file's output is it where there is
/// none. Magnitudes are the reference's.
void expect_golden(const GoldenMapping& mapping, const Case& which,
                   const reference::Reference* reference, Pass& pass) {
  const std::vector<const TensorDecl*> results = results_of(which);
  const bool captured = which.geometry.family->has_captured_truth();
  if (!captured && !std::all_of(results.begin(), results.end(),
                                [](auto* tensor) { return tensor->accept.exact; })) {
    if (reference == nullptr) throw std::runtime_error("the family has no reference");
    expected_results(which, *reference, pass.initial, pass.poison, &pass.truths.own());
  }
  for (const TensorDecl* tensor : results) {
    TensorImage& image = pass.expected[tensor->name] = pass.initial.at(tensor->name);
    const StoredTensor* truth =
        tensor->accept.exact ? nullptr : mapping.truth(*tensor, image.shape);
    if (truth == nullptr) {
      load_rows(mapping.after(*tensor, image.shape), image);
      if (captured && !tensor->accept.exact) pass.truths[tensor->name].value = numbers_of(image);
      continue;
    }
    pass.truths[tensor->name].value = numbers_of(*truth);
    round_into(pass.truths[tensor->name].value, image);
  }
}

void require_fit(const GoldenMapping& mapping, const Case& which) {
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (tensor->role == Role::workspace) continue;
    const TensorShape shape = shape_of(which, *tensor);
    if (is_filled(tensor->role)) mapping.before(*tensor, shape);
    if (tensor->role == Role::in) continue;
    const bool has_truth = !tensor->accept.exact && mapping.truth(*tensor, shape) != nullptr;
    // What the mapping names is there, be it needed or not.
    if (!has_truth || mapping.names_after(*tensor)) mapping.after(*tensor, shape);
  }
}

/// What is judged of a golden case without a kernel. The reference's outputs, against the bytes and
/// truths of the file; where it gives the truth itself, the file's outputs.
TensorImages outputs_to_judge(const GoldenMapping& mapping, const Case& which,
                              const reference::Reference& reference, const Pass& pass) {
  TensorImages images = expected_results(which, reference, pass.initial, pass.poison);
  for (const TensorDecl* tensor : results_of(which)) {
    TensorImage& image = images.at(tensor->name);
    if (!tensor->accept.exact && mapping.truth(*tensor, image.shape) == nullptr)
      load_rows(mapping.after(*tensor, image.shape), image);
  }
  return images;
}

}  // namespace

void require_golden_fits(const Case& which, const GoldenCase& golden) {
  require_fit(GoldenMapping(*which.geometry.family, golden), which);
}

ProofReport prove_golden(Device& device, const RunnableVariant& variant, const Case& which,
                         const GoldenCase& golden, const ProofOptions& options) {
  const GoldenMapping mapping(*which.geometry.family, golden);
  require_fit(mapping, which);
  PassSource source;
  source.passes = 2;
  source.reference = reference::find(which.geometry.family->reference);
  source.varies = false;
  source.initial = [&](int, Poison poison, int) { return golden_inputs(mapping, which, poison); };
  source.expect = [&](Pass& pass) { expect_golden(mapping, which, source.reference, pass); };
  ProofReport report = prove(device, variant, which, options, source);
  if (which.geometry.family->has_captured_truth())
    report.skipped.emplace_back(
        "other row counts, inputs and values than the captured ones: there is no reference");
  return report;
}

ProofReport compare_reference_with_golden(const reference::Reference& reference, const Case& which,
                                          const GoldenCase& golden) {
  const GoldenMapping mapping(*which.geometry.family, golden);
  require_fit(mapping, which);
  std::vector<Pass> passes(1);
  passes[0].initial = golden_inputs(mapping, which, Poison::a);
  Findings findings;
  ProofReport report;
  report.mode = "reference";
  report.passes = 1;
  try {
    expect_golden(mapping, which, &reference, passes[0]);
    passes[0].actual = outputs_to_judge(mapping, which, reference, passes[0]);
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
