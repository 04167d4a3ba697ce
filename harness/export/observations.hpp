#pragma once
// What a record store holds of each case that was raced, by variant: what most other formats call
// the results of a tuning run.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/compile/compiler.hpp"
#include "harness/stats/paired.hpp"
#include "harness/store/records.hpp"

namespace fusetune {

/// Which cases an export has; everything where a part is empty.
struct ExportSelection {
  std::string family, device, case_key;
};

/// One variant of a raced case, or one that fell before.
struct ObservedVariant {
  Variant variant;
  std::string key;
  Status status = Status::ok;  ///< ok: it was proved, and nothing was wrong while it was timed
  std::string message;
  bool is_baseline = false;
  std::optional<double> compile_ms, proof_ms;
  std::string code_identity;        ///< "" where it did not compile
  std::optional<CodeFacts> facts;   ///< of the code that is timed
  std::vector<double> samples_us;   ///< per launch list, those that its certificate is made of
  std::optional<ArmSummary> times;  ///< of the samples; nothing where it was not timed
  /// Of its only visit, where it was dropped for it: no certificate, and no more than an idea.
  std::optional<double> probe_us;
};

/// One case on one device with one state of data: hot and cold times are never in one.
struct ObservedCase {
  Case which;
  std::string device;  ///< name, as in results/
  Target target;
  std::string data;  ///< "cold" or "hot"
  std::string finished;
  std::string harness_version, compiler, sweep;
  Json conditions;
  double race_ms = 0;
  std::vector<ObservedVariant> variants;  ///< in the order of the race, then those that fell
  /// Proved variants without a time of their own: the same code and launches as another, or a
  /// search left them out.
  std::int64_t untimed = 0;
};

/// The newest race of each case, device and state of data, by device, case and data. What cannot be
/// used is told in `left_out`. Throws UserError naming the nearest where the selection names what
/// is not there, or nothing was raced at all.
std::vector<ObservedCase> observed_cases(const RecordSet& set, const ExportSelection& selection,
                                         std::vector<std::string>& left_out);

}  // namespace fusetune
