#include "harness/verify/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/verify/compare.hpp"
#include "harness/verify/result_check.hpp"

namespace fusetune {

namespace {

std::unique_ptr<ResultCheck> make_check(const Case& which, const TensorDecl& tensor,
                                        std::span<const Pass> passes, const Explainer& explainer,
                                        Findings* findings, double cosine_min) {
  if (tensor.accept.exact)
    return std::make_unique<ExactCheck>(which, tensor, passes, explainer, findings);
  return std::make_unique<TolerantCheck>(which, tensor, passes, explainer, findings, cosine_min);
}

}  // namespace

ResultMetrics check_results(const Case& which, std::span<const Pass> passes,
                            const Explainer& explainer, Findings* findings, double cosine_min) {
  ResultMetrics metrics;
  double worst = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (!is_result(tensor->role)) continue;
    const auto check = make_check(which, *tensor, passes, explainer, findings, cosine_min);
    check->run();
    metrics.outputs.push_back(check->metrics());
    if (!check->any_wrong()) continue;
    const double share = check->metrics().share_of_limit_max;
    if (!metrics.mismatch_map.empty() && share <= worst) continue;
    worst = share;
    metrics.mismatch_map = check->map();
  }
  return metrics;
}

void check_repeat(const Case& which, const TensorImages& first, const TensorImages& again,
                  const Explainer& explainer, Findings* findings) {
  findings->count(Check::determinism, 1, "runs");
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (!is_result(tensor->role)) continue;
    const std::string& name = tensor->name;
    const TensorImage &a = first.at(name), &b = again.at(name);
    for_each_difference(a, b, [&](std::int64_t index) {
      if (findings->count_only(Check::determinism)) return;
      findings->add(
          Check::determinism, Status::nondeterministic,
          {.tensor = name,
           .index = index,
           .text = fmt::format("{} differs between two runs on the same inputs: {}, then "
                               "{}",
                               explainer.place(name, index), hex_of(a, index), hex_of(b, index))});
    });
  }
}

void check_compared(const Case& which, Findings* findings) {
  // No rows, no results: only what belongs to no row, a weight, is left.
  bool has_result = false, empty = true;
  for (const TensorDecl* tensor : tensors_of(which.geometry)) {
    if (!is_result(tensor->role)) continue;
    has_result = true;
    empty = empty && shape_of(which, *tensor).elements() == 0;
  }
  if ((has_result && empty) || findings->any()) return;
  for (const Check check : {Check::exact, Check::values, Check::untouched})
    if (findings->comparisons(check) > 0) return;
  findings->add(Check::exact, Status::verification_failed,
                {.tensor = "",
                 .index = 0,
                 .text = "nothing was compared: the case has elements but no result"});
}

}  // namespace fusetune
