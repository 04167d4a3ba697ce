#pragma once
// The candidates of a gate, compiled and proved before anything is timed.

#include <cstddef>
#include <string>
#include <vector>

#include "harness/gate/duel.hpp"
#include "harness/gate/gate_plan.hpp"
#include "harness/tune/campaign.hpp"

namespace fusetune {

class Candidates {
 public:
  /// Compiles and proves; cases too large to be proved with the others at their own shape, too.
  /// `gate` must outlive it.
  Candidates(const GatePlan& gate, const DeviceProperties& device, Session& session);

  std::size_t size() const { return gate_.cases.size(); }
  const GateCase& gate_case(std::size_t i) const { return gate_.cases[i]; }
  const Case& which(std::size_t i) const { return gate_.which(gate_.cases[i]); }
  std::string variant_key(std::size_t i) const;

  const CompiledUnit* unit(std::size_t i) const;
  /// Of its compilation and its proofs.
  Outcome outcome(std::size_t i) const;
  std::string failed_check(std::size_t i) const;  ///< "" where it was none
  std::string failed_case(std::size_t i) const;   ///< the key of the case that it failed at
  std::int64_t proofs(std::size_t i) const;       ///< cases that stand behind it
  DuelArm arm(std::size_t i) const;
  /// launch_plan_key() of what it launches; "" of nothing.
  std::string launches(std::size_t i) const;
  std::string compiler() const;
  const Plan& plan() const { return gate_.plan; }

 private:
  const ProvedVariant* proof(std::size_t i) const;
  void prove_large(Session& session);

  const GatePlan& gate_;
  const DeviceProperties& device_;
  Campaign campaign_;
  std::map<std::size_t, Outcome> large_;  ///< of cases that were proved by themselves
};

}  // namespace fusetune
