#pragma once
// What the parts of a proof share: the device, what is proved on it, and what was found so far.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/verify/arena.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/prove.hpp"
#include "harness/verify/runner.hpp"

namespace fusetune {

/// One arena for each placement. Small cases keep both: the same pointers then see new data.
class Arenas {
 public:
  Arenas(Device& device, const Case& which, std::uint64_t seed, bool keep_both)
      : device_(device), which_(which), seed_(seed), keep_both_(keep_both) {}

  Arena& at(Place place);

 private:
  Device& device_;
  const Case& which_;
  std::uint64_t seed_;
  bool keep_both_;
  std::optional<Arena> low_, high_;
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
        large_(tensor_bytes(which) > static_cast<std::int64_t>(options.large_bytes)),
        arenas_(device, which, options.seed, !large_),
        findings_(options.off) {}

  Device& device() const { return device_; }
  const Case& which() const { return which_; }
  const ProofOptions& options() const { return options_; }
  const PassSource& source() const { return source_; }
  Arenas& arenas() { return arenas_; }
  Findings& findings() { return findings_; }
  bool large() const { return large_; }
  /// The code tells the device of each access.
  bool exact() const { return variant_.code != nullptr && variant_.code->exact(); }

  /// Says what is left out of the protocol, and why.
  void skip(std::string what);

  /// Runs in one arena or several. Empty when the device failed.
  std::vector<TensorImages> run(std::span<const Run> runs, std::uint64_t schedule,
                                Findings* findings);

  /// Compares what passes of the same call hold with what they should, and keeps the worst figures.
  /// `inputs` made them, where they are all the numbered ones.
  void judge(std::span<const Pass> passes, const Inputs* inputs, Findings* findings);

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
  bool large_;
  Arenas arenas_;
  Findings findings_;
  std::vector<std::string> skipped_;
  std::vector<OutputMetrics> outputs_;
  std::string mismatch_map_;
  std::int64_t launches_ = 0;
};

}  // namespace fusetune
