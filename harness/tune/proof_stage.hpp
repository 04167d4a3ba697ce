#pragma once
// Proves every compiled variant of the device's target at its adversarial row counts and at the
// cases' own shapes.

#include <cstdint>
#include <string>
#include <vector>

#include "harness/spec/plan.hpp"
#include "harness/tune/captured_cases.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_cases.hpp"
#include "harness/tune/proved_variant.hpp"
#include "harness/tune/session.hpp"
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
};

ProofSummary prove_plan(const Plan& plan, const CapturedCases& captured,
                        const CompileSummary& compiled, const DeviceProperties& device,
                        Session& session);

/// One variant with a case beyond `proof_bytes_max`, to be proved because it is about to enter a
/// table: with the code that was timed.
struct Finalist {
  std::size_t geometry = 0;
  std::size_t variant = 0;
  Case which;
};
ProofSummary prove_finalists(const Plan& plan, const CompileSummary& compiled,
                             const std::vector<Finalist>& finalists, const DeviceProperties& device,
                             Session& session);

/// The worker's side of one request ("prove"). `progress` is told each case before it runs.
Json handle_prove_request(Device& device, const Json& request,
                          const std::function<void(const Json&)>& progress);

}  // namespace fusetune
