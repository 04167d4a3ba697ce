#pragma once
// Races the proved variants of every case and keeps all samples.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/measure/choose.hpp"
#include "harness/measure/race.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/session.hpp"
#include "harness/tune/traffic_stage.hpp"

namespace fusetune {

/// The race of one case. An arm stands for all variants with its code and launches.
struct CaseRace {
  std::size_t geometry = 0;
  std::size_t planned_case = 0;
  std::vector<std::size_t> arms;                    ///< variant indices
  std::map<std::size_t, std::size_t> same_code_as;  ///< variant -> the variant whose arm it shares
  /// Per arm, where the geometry asks for batch invariance: arms of one class give a row the same
  /// bits; "" of a baseline that does not qualify.
  std::vector<std::string> classes;
  std::string batch_class;  ///< of the choice
  RaceResult result;
  Choice choice;
  Json provenance;  ///< of the figures: versions, sweep and conditions when they were taken
  bool reused = false;
};

struct RaceSummary {
  std::vector<CaseRace> races;
  std::int64_t measured = 0;  ///< cases raced now
  std::int64_t reused = 0;
};

/// The variant that a table holds for a geometry and row count, to be kept within noise: "" for
/// none. Keys as Variant::key.
using Incumbents = std::map<std::pair<std::string, std::int64_t>, std::string>;

RaceSummary race_plan(const Plan& plan, const CompileSummary& compiled, const ProofSummary& proofs,
                      const TrafficSummary& traffic, const DeviceProperties& device,
                      const Incumbents& incumbents, Session& session);

/// The worker's side of one request ("race").
Json handle_race_request(Device& device, const Json& request);

}  // namespace fusetune
