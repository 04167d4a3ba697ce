#pragma once
// The gate with a clock: each candidate is proved, then raced against its baseline on this device,
// now. docs/gate.md says what its verdicts promise.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/gate/gate_report.hpp"
#include "harness/gate/two_stage.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

struct TimedGateRequest {
  Plan plan;                       ///< of the cases to judge, made for the device
  std::filesystem::path baseline;  ///< a file that is not there is one without cases
  std::filesystem::path anchor;    ///< a pinned release; empty: none
  double delta = 0.03;             ///< the least change that counts, as a share
  double anchor_delta = 0.05;      ///< against the anchor: what many small steps may add up to
  std::map<std::string, double> family_delta;  ///< in place of `delta`, by family
  TwoStageRules rules;                         ///< but for the noise, which is measured
  double budget_s = 5;  ///< wall time of each race, of which a case has several
  /// Of cases whose code is the baseline's, one in so many is timed all the same: it must pass.
  std::int64_t null_every = 10;
};

/// Throws UserError for a baseline or anchor that cannot be read, or a family of `family_delta`
/// that the plan does not have.
GateReport run_timed_gate(const TimedGateRequest& request, const DeviceProperties& device,
                          Session& session);

/// Where a device's baseline lies when nothing else is said: baseline.yaml beside its tables.
std::filesystem::path usual_baseline(const std::filesystem::path& results,
                                     const DeviceProperties& device);

/// What accepting did, for whoever asked.
struct Accepted {
  std::int64_t cases = 0;
  std::vector<std::string> refused;  ///< "CASE: why": not proved, and so not accepted
  std::vector<std::string> changes;  ///< differences() to the file before
  bool interrupted = false;
};

/// Proves the candidates of the plan's cases and writes them to the file, beside the cases that it
/// has and the plan has not. Writes nothing when nothing was accepted, or on an interrupt.
Accepted accept_baseline(const Plan& plan, const std::filesystem::path& file,
                         const DeviceProperties& device, Session& session);

}  // namespace fusetune
