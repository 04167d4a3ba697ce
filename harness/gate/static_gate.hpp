#pragma once
// The gate without a clock and without a GPU: proofs and traces on both wave sizes of the host
// device, and what the compilers of GPU targets make of the same variants, beside accepted facts.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/gate/accepted_facts.hpp"
#include "harness/gate/gate_report.hpp"
#include "harness/gate/static_rules.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

struct StaticGateRequest {
  Sweep sweep;
  /// `sweep` has all of its families: an accepted one that it lacks has vanished.
  bool whole = true;
  std::vector<std::string> targets;  ///< in place of both hosts and the sweep's also_compile
  StaticRules rules;
  std::filesystem::path accepted = "results/accepted";  ///< folder
  /// Told of each campaign of proofs when it ends.
  std::function<void(const Plan&, const Campaign&)> on_campaign;
};

struct StaticGateResult {
  GateReport report;
  /// What was seen here of every target that could be judged, to be accepted.
  std::vector<AcceptedFacts> observed;
  std::vector<AcceptedFacts> accepted;  ///< that were there, of the same targets
};

/// Findings come in the order: target, geometry, variant, rule. A target that the sweep also
/// compiles for and nothing here can is skipped, one that was asked for is ENV_CHANGED.
StaticGateResult run_static_gate(const StaticGateRequest& request, Session& session);

/// Writes what was observed, after a gate over the whole sweep that found nothing wrong beside what
/// acceptance settles. Throws UserError, naming the first finding that does not allow it. Returns
/// the changes, a line each under its file.
std::vector<std::string> accept_facts(const StaticGateRequest& request,
                                      const StaticGateResult& result);

}  // namespace fusetune
