#pragma once
// Traces every variant of the device's target once, where the device sees its accesses: what its
// wave instructions ask of the memories, on one case of each geometry.

#include <cstdint>
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
  std::vector<TracedVariant> variants;  ///< that have instrumented code, in plan order
  std::int64_t traced = 0;
  std::int64_t reused = 0;

  /// A successful trace, or nullptr.
  const TracedVariant* find(std::size_t geometry, std::size_t variant) const;
  std::optional<MemoryCost> cost(std::size_t geometry, std::size_t variant) const;
};

MemoryCost memory_cost(const TracedTraffic& traffic);

/// The planned case with the fewest rows at which every variant runs a few blocks, not above 128
/// rows; else the largest up to there; else 128 rows of the first.
Case traced_case(const PlannedGeometry& geometry, const Target& target, const DeviceFacts& device);

/// Traces what `proofs` found right, or everything that compiled where it is null. Wrong code is
/// not worth a figure.
TrafficSummary trace_plan(const Plan& plan, const CompileSummary& compiled,
                          const ProofSummary* proofs, const DeviceProperties& device,
                          Session& session);

/// The worker's side of one request ("trace").
Json handle_trace_request(Device& device, const Json& request);

}  // namespace fusetune
