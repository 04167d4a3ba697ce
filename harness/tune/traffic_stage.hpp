#pragma once
// Traces every variant of the device's target once, where the device sees its accesses: what its
// wave instructions ask of the memories, on one case of each geometry.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/measure/choose.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_stage.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// One variant's trace; `outcome` says why there is none.
struct TracedVariant {
  std::size_t geometry = 0;
  std::size_t variant = 0;
  Outcome outcome{Status::skipped, "not traced before the run was interrupted"};
  TracedTraffic traffic;
};

struct TrafficSummary {
  std::vector<Case> cases;              ///< per geometry, the one that is traced
  std::vector<TracedVariant> variants;  ///< that were to be traced, in plan order
  std::int64_t traced = 0;
  std::int64_t reused = 0;

  /// A successful trace, or nullptr.
  const TracedVariant* find(std::size_t geometry, std::size_t variant) const;
  std::optional<MemoryCost> cost(std::size_t geometry, std::size_t variant) const;

 private:
  mutable VariantIndex index_;
};

MemoryCost memory_cost(const TracedTraffic& traffic);

/// The planned case with the fewest rows at which every variant runs a few blocks, not above 128
/// rows; else the largest up to there; else 128 rows of the first.
Case traced_case(const PlannedGeometry& geometry, const Target& target, const DeviceFacts& device);

/// Traces, for whoever runs the pool. Wrong code is not worth a figure: a variant may begin when it
/// is proved.
class TrafficStage {
 public:
  /// `done` is told of each unit of the device's target that is traced, or not to be. All
  /// references must outlive the pool's run.
  TrafficStage(const Plan& plan, const CompileSummary& compiled, const DeviceProperties& device,
               Session& session, WorkerPool& pool, TrafficSummary& summary,
               std::function<void(const CompiledUnit&)> done);

  /// Lists the variants in the order of the plan.
  void begin();
  /// Traces a unit that is wanted and has instrumented code.
  void start(const CompiledUnit& unit, bool wanted);
  /// After the run: leaves out of the summary what was not to be traced.
  void finish();

 private:
  /// One trace; several variants may be the same code and launches.
  struct Step {
    std::string key;
    std::vector<const CompiledUnit*> members;
    std::optional<Outcome> outcome;  ///< once it ended
    TracedTraffic traffic;
    bool found = false;
  };

  const Variant& variant_of(const CompiledUnit& unit) const;
  std::string key_of(const CompiledUnit& unit) const;
  bool take_from_store(Step& step);
  void submit(Step& step);
  void finish_step(Step& step, const JobEnd& end);
  void add_record(const Step& step, double wall_ms);
  /// What a step ended with, for one of its members.
  void give(const CompiledUnit& unit, const Step& step, StepEnd end);

  const Plan& plan_;
  const CompileSummary& compiled_;
  const DeviceProperties& device_;
  Session& session_;
  WorkerPool& pool_;
  TrafficSummary& summary_;
  std::function<void(const CompiledUnit&)> done_;
  std::map<const CompiledUnit*, std::size_t> places_;  ///< in the summary's variants
  std::vector<bool> wanted_;                           ///< as the summary's variants
  std::map<std::string, Step> steps_;                  ///< by key
};

/// Traces everything that compiled.
TrafficSummary trace_plan(const Plan& plan, const CompileSummary& compiled,
                          const DeviceProperties& device, Session& session);

/// The worker's side of one request ("trace").
Json handle_trace_request(Device& device, const Json& request);

}  // namespace fusetune
