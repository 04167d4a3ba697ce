#pragma once
// What the parts of a proof share: the device, what is proved on it, and what was found so far.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/verify/exchange.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/prove.hpp"
#include "harness/verify/row_blocks.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {

/// One arena for each placement. Small cases keep both: the same pointers then see new data.
class Arenas {
 public:
  Arenas(Exchange& exchange, const Case& which, std::uint64_t seed, bool keep_both)
      : exchange_(exchange), which_(which), seed_(seed), keep_both_(keep_both) {}

  Arena& at(Place place);

 private:
  Exchange& exchange_;
  const Case& which_;
  std::uint64_t seed_;
  bool keep_both_;
  std::shared_ptr<Arena> low_, high_;
};

class Bench {
 public:
  Bench(Device& device, const RunnableVariant& variant, const Case& which,
        const ProofOptions& options, const PassSource& source)
      : device_(device),
        variant_(variant),
        which_(which),
        options_(options),
        source_(source),
        plain_(device),
        large_(tensor_bytes(which) > static_cast<std::int64_t>(options.large_bytes)),
        arenas_(exchange(), which, options.seed, !large_),
        findings_(options.off),
        by_rows_(large_ && source.reference != nullptr && source.inputs != nullptr &&
                 is_judged_by_rows(which)) {}

  Device& device() const { return device_; }
  const Case& which() const { return which_; }
  const ProofOptions& options() const { return options_; }
  const PassSource& source() const { return source_; }
  Exchange& exchange() { return options_.exchange != nullptr ? *options_.exchange : plain_; }
  Arenas& arenas() { return arenas_; }
  Findings& findings() { return findings_; }
  bool large() const { return large_; }
  /// judge() makes what it needs of a reference by itself.
  bool by_rows() const { return by_rows_; }
  /// The code tells the device of each access.
  bool exact() const { return variant_.code != nullptr && variant_.code->exact(); }

  /// Says what is left out of the protocol, and why.
  void skip(std::string what);

  /// Runs in one arena or several. Empty when the device failed.
  std::vector<TensorImages> run(std::span<const Run> runs, std::uint64_t schedule,
                                Findings* findings);

  /// Compares what passes of the same call hold with what they should, and keeps the worst figures.
  /// `inputs` made them, where they are all the numbered ones.
  void judge(std::span<Pass> passes, const Inputs* inputs, Findings* findings);

  /// Adds what outputs measured beside the figures of judge().
  void add_metrics(const std::vector<OutputMetrics>& outputs);

  /// Concludes the report.
  void conclude(ProofReport* report);

 private:
  Device& device_;
  const RunnableVariant& variant_;
  const Case& which_;
  const ProofOptions& options_;
  const PassSource& source_;
  PlainExchange plain_;
  bool large_;
  Arenas arenas_;
  Findings findings_;
  bool by_rows_;
  std::vector<std::string> skipped_;
  std::vector<OutputMetrics> outputs_;
  std::string mismatch_map_;
  std::int64_t launches_ = 0;
};

}  // namespace fusetune
