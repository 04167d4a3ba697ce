#include "harness/tune/proof_request.hpp"

#include <fmt/format.h>

#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

/// Part of every proof's key: raised when the protocol proves more or otherwise than before.
constexpr const char* kProofProtocol = "4";

}  // namespace

Json Baseline::json() const {
  if (unit == nullptr) return {{"why_not", why_not}};
  return {{"code", unit->code.code_path.string()}, {"variant", to_json(*variant)}};
}

std::string proof_key(const ProofContext& context, const ProofCaseList& cases) {
  const CompiledUnit& unit = context.unit;
  std::string text = fmt::format("{}|{}|{}|{}|{}|{}", kProofProtocol, unit.code.code_identity,
                                 unit.exact ? unit.exact->code_identity : "",
                                 context.device.target.name, context.cosine_min, context.seed);
  if (const Baseline& baseline = context.baseline; baseline.unit != nullptr)
    text +=
        fmt::format("|{}|{}", baseline.unit->code.code_identity, to_json(*baseline.variant).dump());
  else
    text += "|" + baseline.why_not;
  text += cases.key(context.variant);
  if (context.batches)
    text += fmt::format("|{}|{}", to_json(*context.batches).dump(),
                        launch_plan_key(launches_of(context.batches->batch, context.variant,
                                                    context.device.target, context.device.facts)));
  return hash_hex(text);
}

Json prove_request(const std::string& device, const ProofContext& context,
                   const std::string& digest_code) {
  const CompiledUnit& unit = context.unit;
  Json request{{"op", "prove"},
               {"device", device},
               {"code", unit.code.code_path.string()},
               {"exact_code", unit.exact ? unit.exact->code_path.string() : ""},
               {"variant", to_json(context.variant)},
               {"baseline", context.baseline.json()},
               {"digest_code", digest_code},
               {"cosine_min", context.cosine_min},
               {"seed", context.seed}};
  if (context.batches) request["batches"] = to_json(*context.batches);
  return request;
}

}  // namespace fusetune
