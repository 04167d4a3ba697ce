#pragma once
// Races the proved variants of every case and keeps all samples.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/measure/calibration.hpp"
#include "harness/measure/choose.hpp"
#include "harness/measure/race.hpp"
#include "harness/process/step_note.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/race_attempt.hpp"
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
  std::optional<Choice> own_choice;  ///< where `choice` shares the kernel of other row counts
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

/// What messages of arms that failed in a race begin with.
constexpr const char* kWhileTimed = "while it was timed";
constexpr const char* kAfterTiming = "after timing";

/// Races, for whoever runs the pool.
class RaceStage {
 public:
  /// All references must outlive the pool's run.
  RaceStage(const Plan& plan, const CompileSummary& compiled, const ProofSummary& proofs,
            const TrafficSummary& traffic, const DeviceProperties& device, Session& session,
            WorkerPool& pool, RaceSummary& summary);

  /// Lists the cases in the order of the plan.
  void begin();
  /// All variants of a geometry have their verdicts: races its cases. On the host nothing else runs
  /// beside a race.
  void start(std::size_t geometry);
  /// After the run: chooses the winners. `incumbents` stay within noise.
  void finish(const Incumbents& incumbents);

 private:
  void start_case(std::size_t index);
  bool has_launches(const CaseRace& race) const;
  std::string add_arms(CaseRace& race);
  bool take_from_store(std::size_t index);
  void submit(std::size_t index);
  void tell(std::size_t index, const StepNote& note) const;
  void finish_attempt(std::size_t index, const JobEnd& end);
  void finish_case(std::size_t index, double wall_ms);
  void add_record(std::size_t index, double wall_ms);

  const Plan& plan_;
  const CompileSummary& compiled_;
  const ProofSummary& proofs_;
  const TrafficSummary& traffic_;
  const DeviceProperties& device_;
  Session& session_;
  WorkerPool& pool_;
  RaceSummary& summary_;
  RaceOptions options_;
  StepRecord::Kind kind_;
  std::string digest_code_;
  std::optional<Calibration> calibration_;  ///< of the device, where the doctor has seen it
  std::vector<std::string> keys_;           ///< per race
  std::vector<RaceAttempt> attempts_;       ///< per race
  std::vector<std::size_t> first_of_;       ///< race, per geometry
};

/// Of an attempt among so many arms, however its job ended; where the worker told no more, with the
/// arm that it had noted.
RaceResult race_result_of(const JobEnd& end, std::size_t arms);

/// The worker's side of one request ("race"): one attempt, which the first arm to fail ends. The
/// notes say at which arm it is.
Json handle_race_request(Device& device, const Json& request, NotePage& page, ProofAids& aids);

}  // namespace fusetune
