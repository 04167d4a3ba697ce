#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "harness/verify/further_checks.hpp"
#include "harness/verify/norm_rules.hpp"
#include "harness/verify/results.hpp"

namespace fusetune {

namespace {

constexpr double kCosineMin = 0.9999;
constexpr double kNormRatioTolerance = 1e-3;

/// Elements that are not finite in both belong to the rules of single elements; one that is finite
/// in one of them alone spoils the sums.
NormSums sums_of(const TensorImage& actual, const TensorImage& baseline) {
  NormSums sums;
  for (std::int64_t i = 0; i < actual.filled_rows() * actual.shape.row_elements; ++i) {
    Element element;
    element.actual = value_at(actual, i);
    element.rounded = value_at(baseline, i);
    if (!std::isfinite(element.actual) && !std::isfinite(element.rounded)) continue;
    sums.add(element);
  }
  return sums;
}

/// What the baseline makes of the inputs of `base`; nothing where that is not what it should be.
std::optional<TensorImages> right_results(Bench& bench, const RunnableVariant& baseline,
                                          const Pass& base) {
  const reference::Reference* reference = bench.source().reference;
  Findings found;
  Runner runner(bench.device(), bench.exchange(), baseline, bench.which(), reference, &found);
  std::optional<TensorImages> results = runner.run(bench.arenas().at(Place::low), base.initial, 0);
  if (!results) return std::nullopt;
  std::vector<Pass> passes{base};
  passes.front().actual = *results;
  check_results(bench.which(), passes, Explainer(bench.which(), reference, nullptr, passes), &found,
                bench.options().cosine_min);
  if (found.any()) return std::nullopt;
  return results;
}

/// What is judged by other rules than bytes.
std::vector<const TensorDecl*> computed_outputs(const Case& which) {
  std::vector<const TensorDecl*> outputs;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (is_result(tensor->role) && !tensor->accept.exact) outputs.push_back(tensor);
  return outputs;
}

void compare(Bench& bench, const std::string& tensor, const NormSums& sums) {
  Findings& findings = bench.findings();
  findings.count(Check::baseline, sums.elements(), "elements");
  std::vector<OutputMetrics> added(1);
  OutputMetrics& metrics = added.front();
  metrics.tensor = tensor;
  metrics.baseline_elements = sums.elements();
  metrics.baseline_cosine = sums.cosine();
  metrics.baseline_norm_ratio = sums.norm_ratio();
  bench.add_metrics(added);
  // A NaN is within no limit.
  if (metrics.baseline_cosine >= kCosineMin &&
      std::fabs(metrics.baseline_norm_ratio - 1) <= kNormRatioTolerance)
    return;
  Mismatch mismatch;
  mismatch.tensor = tensor;
  mismatch.text = fmt::format(
      "beside the unfused implementation a cosine of {:.6g} and a ratio of norms of {:.6g}; asked "
      "are at least {} and 1 +- {}",
      metrics.baseline_cosine, metrics.baseline_norm_ratio, kCosineMin, kNormRatioTolerance);
  findings.add(Check::baseline, Status::verification_failed, std::move(mismatch));
}

}  // namespace

void check_baseline(Bench& bench, const RunnableVariant& baseline, const Pass& base) {
  const auto outputs = computed_outputs(bench.which());
  if (outputs.empty()) return;
  const std::optional<TensorImages> results = right_results(bench, baseline, base);
  if (!results) return bench.skip("comparison with the unfused implementation: it failed");
  for (const TensorDecl* tensor : outputs)
    compare(bench, tensor->name, sums_of(base.actual.at(tensor->name), results->at(tensor->name)));
}

}  // namespace fusetune
