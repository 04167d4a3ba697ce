#include "harness/tune/certificate_figures.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace fusetune {

namespace {

/// To thousandths: nobody needs more of an estimate. Nothing of what is no number.
std::optional<double> rounded(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  return std::round(1000 * value) / 1000;
}

}  // namespace

Certificate certificate_of(const Choice& choice, const std::vector<std::string>& arms,
                           bool has_baseline) {
  const ArmVerdict& verdict = choice.verdict(choice.arm);
  Certificate c;
  c.samples = verdict.summary.samples;
  c.epochs = verdict.summary.epochs;
  c.median_us = verdict.summary.median_us;
  c.low_us = verdict.summary.low_us;
  c.high_us = verdict.summary.high_us;
  c.spread_percent = verdict.summary.spread_percent;
  if (has_baseline) {
    c.versus_baseline = verdict.over_baseline.mid;
    c.versus_low = verdict.over_baseline.low;
    c.versus_high = verdict.over_baseline.high;
  }
  c.regret_percent = rounded(100 * choice.regret);
  c.flip_probability = rounded(choice.flip_probability);
  for (const std::int32_t arm : choice.tie_set)
    c.tie_set.push_back(arms[static_cast<std::size_t>(arm)]);
  std::sort(c.tie_set.begin(), c.tie_set.end());
  c.candidates = static_cast<std::int64_t>(arms.size());
  return c;
}

Provenance provenance_of(const Json& provenance, const std::string& data) {
  return {provenance.at("harness_version").get<std::string>(),
          provenance.at("compiler").get<std::string>(), provenance.at("sweep").get<std::string>(),
          data, provenance.at("conditions")};
}

}  // namespace fusetune
