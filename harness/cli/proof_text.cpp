#include "harness/cli/proof_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "harness/cli/batch_text.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/spec/short_key.hpp"

namespace fusetune {

namespace {

/// The proofs of one geometry, taken together.
struct GeometryProofs {
  std::int64_t variants = 0;
  std::int64_t proved = 0;
  std::int64_t runs = 0;
  std::int64_t exact_runs = 0;
  std::int64_t equal = 0;   ///< elements, byte for byte
  std::int64_t judged = 0;  ///< elements, by other rules
  std::vector<OutputMetrics> outputs;
};

GeometryProofs proofs_of(const Campaign& campaign, std::size_t geometry) {
  GeometryProofs sum;
  for (const ProvedVariant& variant : campaign.proofs.variants) {
    if (variant.geometry != geometry) continue;
    ++sum.variants;
    if (variant.outcome.ok()) ++sum.proved;
    sum.runs += variant.cases;
    sum.exact_runs += variant.exact_cases;
    for (const CheckCount& check : variant.checks) {
      if (check.name == "exact") sum.equal += check.comparisons;
      if (check.name == "values") sum.judged += check.comparisons;
    }
    add_outputs(sum.outputs, variant.outputs);
  }
  return sum;
}

/// "0.9999998": as many digits as tell it from 1.
std::string near_1(double value) {
  if (value == 1) return "1";
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const double off = std::abs(value - 1);
  return off >= 1e-4 ? fmt::format("{:.4f}", value)
                     : fmt::format("1{}{:.0e}", value < 1 ? "-" : "+", off);
}

/// Cosine and ratio of norms beside the baseline's output.
std::string beside_baseline(const OutputMetrics& output) {
  if (output.baseline_elements == 0) return "-";
  return near_1(output.baseline_cosine) + ", " + near_1(output.baseline_norm_ratio);
}

std::string outputs_table(const std::vector<OutputMetrics>& outputs) {
  using Align = TextTable::Align;
  TextTable table({"output", "rule", "of limit", "max ulp", "relative L2", "cosine", "norm ratio",
                   "vs unfused"},
                  {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right,
                   Align::right, Align::right});
  for (const OutputMetrics& output : outputs) {
    if (output.rule == "exact") continue;
    table.add({output.tensor, output.rule, fmt::format("{:.0f} %", 100 * output.share_of_limit_max),
               fmt::format("{:.3g}", output.ulp_max), fmt::format("{:.2g}", output.relative_l2),
               near_1(output.cosine), near_1(output.norm_ratio), beside_baseline(output)});
  }
  if (table.empty()) return "";
  constexpr std::size_t kIndent = 2;
  const std::string lines = table.text(kLineWidth - kIndent);
  std::string indented;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at) + 1;
    indented += std::string(kIndent, ' ') + lines.substr(at, end - at);
    at = end;
  }
  return indented;
}

std::string runs_text(const GeometryProofs& sum) {
  std::string text = counted(sum.runs, "run");
  if (sum.exact_runs > 0)
    text += fmt::format(" ({} EXACT, {} FAST)", sum.exact_runs, sum.runs - sum.exact_runs);
  return text;
}

const ProvedVariant* first_wrong(const Campaign& campaign) {
  for (const ProvedVariant& variant : campaign.proofs.variants)
    if (!variant.mismatches.empty()) return &variant;
  return nullptr;
}

/// The output whose worst element is farthest beyond its limit.
const OutputMetrics* worst_output(const ProvedVariant& variant) {
  const OutputMetrics* worst = nullptr;
  for (const OutputMetrics& output : variant.outputs)
    if (!output.worst.empty() && !(output.share_of_limit_max <= 1) &&
        (worst == nullptr || !(output.share_of_limit_max <= worst->share_of_limit_max)))
      worst = &output;
  return worst;
}

/// Reason -> variants.
std::map<std::string, std::int64_t> left_out_of(const Campaign& campaign) {
  std::map<std::string, std::int64_t> reasons;
  for (const ProvedVariant& variant : campaign.proofs.variants)
    for (const std::string& reason : variant.left_out) ++reasons[reason];
  return reasons;
}

}  // namespace

std::string geometries_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    const GeometryProofs sum = proofs_of(campaign, g);
    std::string line = fmt::format("  {} of {} proved, {}", sum.proved,
                                   counted(sum.variants, "variant"), runs_text(sum));
    if (sum.equal > 0) line += fmt::format(", {} elements equal", sum.equal);
    if (sum.judged > 0) line += fmt::format(", {} judged by the rules below", sum.judged);
    out += short_key(plan.geometries[g].geometry) + "\n" + wrapped(line, 4);
    out += outputs_table(sum.outputs);
    out += batch_text(plan, campaign, g);
  }
  return out;
}

std::string mismatches_text(const Campaign& campaign) {
  const ProvedVariant* variant = first_wrong(campaign);
  if (variant == nullptr) return "";
  std::string out =
      wrapped(fmt::format("{} in {}, the first:", counted(variant->mismatch_count, "mismatch"),
                          variant->failed_case),
              2);
  for (const Mismatch& mismatch : variant->mismatches) {
    // A failed launch is no element's.
    const std::string place =
        mismatch.tensor.empty() ? "" : fmt::format("{}[{}]: ", mismatch.tensor, mismatch.index);
    out += wrapped(fmt::format("  {}{}", place, mismatch.text), 4);
  }
  if (const OutputMetrics* worst = worst_output(*variant); worst != nullptr)
    out += wrapped(fmt::format("the worst element, under {}: {}", worst->rule, worst->worst), 2);
  if (!variant->mismatch_map.empty()) {
    out += "where ('#' is wrong; the element of row 0, column 0 is at the top left):\n";
    out += variant->mismatch_map;
    if (out.back() != '\n') out += '\n';
  }
  return out;
}

std::string left_out_text(const Campaign& campaign) {
  std::string out;
  for (const auto& [reason, variants] : left_out_of(campaign))
    out += wrapped(fmt::format("left out of {}: {}", counted(variants, "proof"), reason), 2);
  return out;
}

Json proofs_json(const Plan& plan, const Campaign& campaign) {
  Json geometries = Json::array();
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    const GeometryProofs sum = proofs_of(campaign, g);
    geometries.push_back({{"geometry", plan.geometries[g].geometry.key()},
                          {"variants", sum.variants},
                          {"proved", sum.proved},
                          {"runs", sum.runs},
                          {"exact_runs", sum.exact_runs},
                          {"outputs", to_json(sum.outputs)},
                          {"batch_invariance", batch_json(plan, campaign, g)}});
  }
  Json failed = Json::array();
  for (const ProvedVariant& variant : campaign.proofs.variants) {
    if (variant.failed_check.empty()) continue;
    const PlannedGeometry& geometry = plan.geometries[variant.geometry];
    failed.push_back(
        {{"case", variant.failed_case},
         {"variant", geometry.variants[variant.variant].key(*geometry.geometry.family)},
         {"check", variant.failed_check},
         {"mismatch_count", variant.mismatch_count},
         {"mismatches", to_json(variant.mismatches)},
         {"mismatch_map", variant.mismatch_map},
         {"outputs", to_json(variant.outputs)}});
  }
  return Json{{"geometries", std::move(geometries)},
              {"failed", std::move(failed)},
              {"left_out", left_out_of(campaign)}};
}

}  // namespace fusetune
