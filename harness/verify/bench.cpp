#include "harness/verify/bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "harness/base/mix.hpp"
#include "harness/verify/proof_cache.hpp"
#include "harness/verify/proof_sums.hpp"
#include "harness/verify/results.hpp"

namespace fusetune {

Arena& Arenas::at(Place place) {
  std::shared_ptr<Arena>& wanted = place == Place::low ? low_ : high_;
  std::shared_ptr<Arena>& other = place == Place::low ? high_ : low_;
  if (!keep_both_) other.reset();
  if (!wanted) wanted = exchange_.arena(which_, place, mix64(seed_ + (place == Place::low)), {});
  return *wanted;
}

std::vector<TensorImages> Bench::run(std::span<const Run> runs, std::uint64_t schedule,
                                     Findings* findings) {
  Runner runner(device_, exchange(), variant_, which_, source_.reference, findings);
  std::vector<TensorImages> results = runner.run(runs, schedule);
  launches_ += runner.launches();
  return results;
}

void Bench::skip(std::string what) { skipped_.push_back(std::move(what)); }

void Bench::judge(std::span<Pass> passes, const Inputs* inputs, Findings* findings) {
  if (by_rows_) {
    if (const auto metrics =
            check_by_rows(which_, *source_.reference, passes, findings, options_.cosine_min))
      return add_outputs(outputs_, metrics->outputs);
    for (Pass& pass : passes) source_.expect(pass);
  }
  const Explainer explainer(which_, source_.reference, inputs, passes);
  const auto check = [&](Findings* found) {
    return check_results(which_, passes, explainer, found, options_.cosine_min);
  };
  const std::string rules = fmt::format("{}|{}", options_.cosine_min, fmt::join(options_.off, ","));
  ResultMetrics metrics = options_.cache != nullptr
                              ? options_.cache->judge(rules, passes, findings, check)
                              : check(findings);
  add_outputs(outputs_, metrics.outputs);
  if (mismatch_map_.empty()) mismatch_map_ = std::move(metrics.mismatch_map);
}

void Bench::add_metrics(const std::vector<OutputMetrics>& outputs) {
  add_outputs(outputs_, outputs);
}

void Bench::conclude(ProofReport* report) {
  findings_.conclude(report);
  report->launches = launches_;
  report->skipped = std::move(skipped_);
  report->outputs = std::move(outputs_);
  report->mismatch_map = std::move(mismatch_map_);
}

}  // namespace fusetune
