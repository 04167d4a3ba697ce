#include "harness/gate/candidates.hpp"

#include "harness/tune/finalist_stage.hpp"

namespace fusetune {

Candidates::Candidates(const GatePlan& gate, const DeviceProperties& device, Session& session)
    : gate_(gate), device_(device), campaign_(verify_campaign(gate.plan, device, session)) {
  if (!session.stop()) prove_large(session);
}

void Candidates::prove_large(Session& session) {
  std::vector<Finalist> finalists;
  std::vector<std::size_t> whose;
  for (std::size_t i = 0; i < size(); ++i) {
    if (!outcome(i).ok() || is_proved_at_own_shape(which(i), session.options) ||
        which(i).geometry.family->has_captured_truth())
      continue;
    finalists.push_back({gate_case(i).geometry, gate_case(i).variant, which(i)});
    whose.push_back(i);
  }
  if (finalists.empty()) return;
  const ProofSummary proofs =
      prove_finalists(gate_.plan, campaign_.compiled, finalists, device_, session);
  for (std::size_t k = 0; k < whose.size(); ++k) large_[whose[k]] = proofs.variants[k].outcome;
}

std::string Candidates::variant_key(std::size_t i) const {
  return gate_.variant(gate_case(i)).key(*which(i).geometry.family);
}

const CompiledUnit* Candidates::unit(std::size_t i) const {
  return campaign_.compiled.find(gate_case(i).geometry, gate_case(i).variant, gate_.plan.target);
}

const ProvedVariant* Candidates::proof(std::size_t i) const {
  return std::as_const(campaign_.proofs).find(gate_case(i).geometry, gate_case(i).variant);
}

Outcome Candidates::outcome(std::size_t i) const {
  if (const CompiledUnit* compiled = unit(i); compiled != nullptr && !compiled->code.outcome.ok())
    return compiled->code.outcome;
  const ProvedVariant* proved = proof(i);
  if (proved == nullptr) return {Status::skipped, "it launches nothing"};
  if (!proved->outcome.ok()) return proved->outcome;
  const auto large = large_.find(i);
  return large == large_.end() ? proved->outcome : large->second;
}

std::string Candidates::failed_check(std::size_t i) const {
  const ProvedVariant* proved = proof(i);
  return proved == nullptr ? "" : proved->failed_check;
}

std::string Candidates::failed_case(std::size_t i) const {
  const ProvedVariant* proved = proof(i);
  return proved == nullptr || proved->failed_case.empty() ? which(i).key() : proved->failed_case;
}

std::int64_t Candidates::proofs(std::size_t i) const {
  const ProvedVariant* proved = proof(i);
  return proved == nullptr ? 0 : proved->cases + (large_.count(i) != 0 ? 1 : 0);
}

DuelArm Candidates::arm(std::size_t i) const {
  return {unit(i)->code.code_path, gate_.variant(gate_case(i)), which(i)};
}

std::string Candidates::launches(std::size_t i) const {
  const std::vector<Launch> launches =
      launches_of(which(i), gate_.variant(gate_case(i)), gate_.plan.target, device_.facts);
  return launches.empty() ? "" : launch_plan_key(launches);
}

std::string Candidates::compiler() const {
  const auto found = campaign_.compiled.compilers.find(gate_.plan.target.name);
  return found == campaign_.compiled.compilers.end() ? "" : found->second;
}

}  // namespace fusetune
