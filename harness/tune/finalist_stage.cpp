#include "harness/tune/finalist_stage.hpp"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "harness/sandbox/sandbox.hpp"
#include "harness/tune/memory_gate.hpp"
#include "harness/verify/row_blocks.hpp"

namespace fusetune {

namespace {

/// A proof takes this many times the memory of its case: with a reference of all rows at once, or
/// of blocks of them beside the contents of all passes.
constexpr std::int64_t kReferenceBytes = 32, kBlocksBytes = 12;
/// Each has a context and the tensors of a proof in the GPU's memory.
constexpr int kGpuFinalistsMax = 16;

std::int64_t proof_bytes(const Finalist& finalist) {
  return tensor_bytes(finalist.which) *
         (is_judged_by_rows(finalist.which) ? kBlocksBytes : kReferenceBytes);
}

/// Baselines first, for others wait for theirs; then the largest, so that no long one is left to
/// the end.
std::vector<std::size_t> proof_order(const Plan& plan, const std::vector<Finalist>& finalists,
                                     const std::vector<std::int64_t>& bytes) {
  const auto is_baseline = [&](std::size_t i) {
    const PlannedGeometry& geometry = plan.geometries[finalists[i].geometry];
    return geometry.variants[finalists[i].variant].implementation ==
           geometry.geometry.family->baseline;
  };
  std::vector<std::size_t> order(finalists.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (is_baseline(a) != is_baseline(b)) return is_baseline(a);
    return bytes[a] > bytes[b];
  });
  return order;
}

WorkerPoolOptions finalist_workers(const DeviceProperties& device, const EngineOptions& options) {
  WorkerPoolOptions workers = device_workers(device, options);
  // Beside a GPU's work of milliseconds stands the processor's of seconds: references of whole
  // cases and comparisons with them.
  if (!is_timed_on_host(device) && workers.workers > 1)
    workers.workers = std::min(job_count(options), kGpuFinalistsMax);
  return workers;
}

}  // namespace

ProofSummary prove_finalists(const Plan& plan, const CompileSummary& compiled,
                             const std::vector<Finalist>& finalists, const DeviceProperties& device,
                             Session& session) {
  std::vector<ProofTask> tasks;
  std::vector<std::int64_t> bytes;
  for (const Finalist& finalist : finalists) {
    tasks.push_back(
        {compiled.find(finalist.geometry, finalist.variant, plan.target), [&finalist, &device] {
           return std::make_shared<ProofCaseList>(
               std::vector<ProofCase>{{finalist.which, false, false, {}}}, device.target,
               device.facts);
         }});
    bytes.push_back(proof_bytes(finalist));
  }
  ProofSummary summary;
  WorkerPool pool(finalist_workers(device, session.options));
  std::vector<std::size_t> order = proof_order(plan, finalists, bytes);
  ProofStage* proofs = nullptr;
  MemoryGate gate(std::move(bytes), std::move(order), machine_memory_bytes(),
                  [&proofs](std::size_t i) { proofs->start(i); });
  ProofStage stage(plan, compiled, device, false, session, pool, summary, std::move(tasks),
                   [&gate](std::size_t i) { gate.ended(i); });
  proofs = &stage;
  stage.begin();
  gate.fill();
  pool.run(session.stop, [&session] { session.progress.tick(); });
  stage.finish();
  return summary;
}

}  // namespace fusetune
