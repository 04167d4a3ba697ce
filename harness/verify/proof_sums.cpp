#include "harness/verify/proof_sums.hpp"

#include <algorithm>
#include <cmath>

namespace fusetune {

namespace {

/// A NaN is worse than every number.
bool is_worse(double candidate, double present) {
  return std::isnan(candidate) || candidate > present;
}

void keep_larger(double& present, double candidate) {
  if (!std::isnan(present) && is_worse(candidate, present)) present = candidate;
}

void keep_farther_from_1(double& present, double candidate) {
  if (!std::isnan(present) && is_worse(std::abs(candidate - 1), std::abs(present - 1)))
    present = candidate;
}

void add_output(OutputMetrics& sum, const OutputMetrics& more) {
  sum.elements += more.elements;
  sum.codes_off += more.codes_off;
  if (sum.worst.empty() || is_worse(more.share_of_limit_max, sum.share_of_limit_max)) {
    sum.rule = more.rule;
    sum.worst = more.worst;
    sum.worst_index = more.worst_index;
  }
  keep_larger(sum.abs_error_max, more.abs_error_max);
  keep_larger(sum.rel_error_max, more.rel_error_max);
  keep_larger(sum.ulp_max, more.ulp_max);
  keep_larger(sum.relative_l2, more.relative_l2);
  keep_larger(sum.share_of_limit_max, more.share_of_limit_max);
  keep_farther_from_1(sum.cosine, more.cosine);
  keep_farther_from_1(sum.norm_ratio, more.norm_ratio);
  sum.baseline_elements += more.baseline_elements;
  keep_farther_from_1(sum.baseline_cosine, more.baseline_cosine);
  keep_farther_from_1(sum.baseline_norm_ratio, more.baseline_norm_ratio);
}

}  // namespace

void add_checks(std::vector<CheckCount>& sums, const std::vector<CheckCount>& more) {
  for (const CheckCount& check : more) {
    const auto known = std::find_if(sums.begin(), sums.end(), [&check](const CheckCount& sum) {
      return sum.name == check.name;
    });
    if (known == sums.end())
      sums.push_back(check);
    else
      known->comparisons += check.comparisons;
  }
}

void add_outputs(std::vector<OutputMetrics>& sums, const std::vector<OutputMetrics>& more) {
  for (const OutputMetrics& output : more) {
    const auto known = std::find_if(sums.begin(), sums.end(), [&output](const OutputMetrics& sum) {
      return sum.tensor == output.tensor;
    });
    if (known == sums.end())
      sums.push_back(output);
    else
      add_output(*known, output);
  }
}

void add_texts(std::vector<std::string>& sums, const std::vector<std::string>& more) {
  for (const std::string& text : more)
    if (std::find(sums.begin(), sums.end(), text) == sums.end()) sums.push_back(text);
}

}  // namespace fusetune
