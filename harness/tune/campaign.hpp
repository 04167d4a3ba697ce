#pragma once
// A sweep carried to its tables: compile, prove, race, choose, write.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/table/table.hpp"
#include "harness/tune/campaign_workers.hpp"
#include "harness/tune/dead_axes.hpp"
#include "harness/tune/race_stage.hpp"
#include "harness/tune/requirements.hpp"
#include "harness/tune/search_work.hpp"

namespace fusetune {

/// A variant that did not make it, for the summary.
struct Failure {
  Status status = Status::ok;
  std::string case_key;  ///< where it failed; the geometry's first case for compilations
  std::string variant_key;
  std::string target;
  std::string message;
  std::string device;  ///< as --device names it; "" for a target that is compiled for alone
};

struct Campaign {
  DeviceProperties device;
  CompileSummary compiled;
  ProofSummary proofs;
  TrafficSummary traffic;           ///< of what was proved, before it is raced
  RequirementSummary requirements;  ///< what the traces and code objects are asked to be
  RaceSummary races;
  SearchWork search;  ///< of the search before it, whose steps count with the others
  SpaceFacts space;   ///< what the compiled code says of the space
  std::vector<Table> tables;
  std::vector<std::filesystem::path> files;
  std::vector<Failure> failures;
  bool raced = false;  ///< a table was wanted, not proofs alone
  bool interrupted = false;

  /// Compiled, proved or measured anything at all.
  bool did_work() const {
    return compiled.compiled + proofs.proved + traffic.traced + races.measured + search.measured >
           0;
  }
  /// Comparisons that all proofs made.
  std::int64_t compared() const;
  /// Some case has a winner, or its baseline by default.
  bool decided() const;
  /// The worst status of the device's target and of compile-only targets that were asked for.
  ExitCode exit_code() const;
};

/// Compiles and proves. `device` comes from device_properties().
Campaign verify_campaign(const Plan& plan, const DeviceProperties& device, Session& session);

/// The same, then races and writes results/<device>/. An interrupted run writes no table and says
/// so. It goes on with the workers of what came before it, if there are any.
Campaign tune_campaign(const Plan& plan, const DeviceProperties& device, Session& session,
                       std::unique_ptr<CampaignWorkers> workers = nullptr);

/// The command that shows one failure again.
std::string repro_command(const Failure& failure);

}  // namespace fusetune
