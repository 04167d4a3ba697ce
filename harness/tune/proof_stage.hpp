#pragma once
// Proves every compiled variant of the device's target at its adversarial row counts and at the
// cases' own shapes.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/spec/plan.hpp"
#include "harness/tune/captured_cases.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_aids.hpp"
#include "harness/tune/proof_cases.hpp"
#include "harness/tune/proof_request.hpp"
#include "harness/tune/proved_variant.hpp"
#include "harness/tune/session.hpp"
#include "harness/tune/variant_index.hpp"
#include "harness/verify/proof_sums.hpp"

namespace fusetune {

struct ProofSummary {
  std::vector<ProvedVariant> variants;  ///< those with launches, in plan order
  std::int64_t proved = 0;
  std::int64_t reused = 0;
  std::int64_t shared = 0;  ///< took the verdict of another variant with the same code and launches
  std::int64_t cases = 0;   ///< that stand behind the verdicts
  std::int64_t exact_cases = 0;    ///< of them, with instrumented code
  std::vector<CheckCount> checks;  ///< summed

  const ProvedVariant* find(std::size_t geometry, std::size_t variant) const;
  ProvedVariant* find(std::size_t geometry, std::size_t variant);

 private:
  mutable VariantIndex index_;
};

/// What is to be proved of one unit.
struct ProofTask {
  const CompiledUnit* unit = nullptr;
  std::function<std::shared_ptr<const ProofCaseList>()> cases;  ///< may throw EvalError
};

/// Every variant of the device's target.
std::vector<ProofTask> proof_tasks(const Plan& plan, const CapturedCases& captured,
                                   const CompileSummary& compiled, const EngineOptions& options,
                                   const DeviceFacts& device);

/// Proofs, for whoever runs the pool. Each may begin as soon as its unit is compiled; where outputs
/// are compared with a baseline's, as soon as that has its verdict as well.
class ProofStage {
 public:
  /// Lists the variants in the order of the tasks. `done` is told the number of each task that has
  /// got its verdict. All references must outlive the pool's run.
  ProofStage(const Plan& plan, const CompileSummary& compiled, const DeviceProperties& device,
             bool with_batches, Session& session, WorkerPool& pool, ProofSummary& summary,
             std::vector<ProofTask> tasks, std::function<void(std::size_t)> done);

  void begin();
  /// The unit of a task has got its code, or none.
  void start(std::size_t task);
  /// After the run.
  void finish();

 private:
  /// One thing to prove: a code object with its launch plans on a list of cases.
  struct ProofJob {
    std::string key;
    std::shared_ptr<const ProofCaseList> cases;  ///< until the verdict is there
    std::vector<std::size_t> members;            ///< tasks
    std::optional<ProvedVariant> verdict;
  };

  const PlannedGeometry& geometry_of(std::size_t task) const;
  /// The variant whose outputs those of others are compared with, where there is one to wait for.
  std::optional<std::size_t> baseline_task(const CompiledUnit& unit) const;
  Baseline baseline_of(const CompiledUnit& unit) const;
  ProofContext context_of(const CompiledUnit& unit) const;
  void add_job(std::size_t task);
  bool take_from_store(ProofJob& job);
  void submit(ProofJob& job);
  void finish_job(ProofJob& job, JobEnd& end);
  ProvedVariant verdict_of(const ProofJob& job, const JobEnd& end) const;
  std::string noted_case(const ProofJob& job, std::int64_t at) const;
  void add_record(const ProofJob& job, Json data, double wall_ms);
  /// A variant's verdict, whose own it is or not.
  void give(std::size_t task, const ProvedVariant& verdict, StepEnd end);

  const Plan& plan_;
  const CompileSummary& compiled_;
  const DeviceProperties& device_;
  bool with_batches_;
  Session& session_;
  WorkerPool& pool_;
  ProofSummary& summary_;
  std::vector<ProofTask> tasks_;
  std::function<void(std::size_t)> done_;
  std::vector<std::string> geometry_keys_;
  std::string digest_code_;
  std::vector<std::optional<std::size_t>> baselines_;        ///< variants, per geometry
  std::vector<bool> is_known_;                               ///< per task
  std::map<std::size_t, std::vector<std::size_t>> waiting_;  ///< tasks, for the task of a baseline
  std::map<std::string, ProofJob> jobs_;                     ///< by key
};

/// The worker's side of one request ("prove"). It notes the number of each case before it runs.
Json handle_prove_request(Device& device, const Json& request, NotePage& page, ProofAids& aids);

}  // namespace fusetune
