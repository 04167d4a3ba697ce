#pragma once
// What a proof depends on: its key in the records, and what a device worker is asked.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/tune/batch_cases.hpp"
#include "harness/tune/compile_stage.hpp"
#include "harness/tune/proof_cases.hpp"

namespace fusetune {

/// What the computed outputs of a variant are compared with.
struct Baseline {
  const CompiledUnit* unit = nullptr;
  const Variant* variant = nullptr;
  std::string why_not;  ///< there is none; "" as well where none is needed

  Json json() const;
};

/// What a proof depends on besides its cases.
struct ProofContext {
  const CompiledUnit& unit;
  const Variant& variant;
  const DeviceProperties& device;
  Baseline baseline;
  double cosine_min = -1;
  std::uint64_t seed = 1;
  std::optional<BatchCases> batches;  ///< where a row is to have the same bits in all of them
};

std::string proof_key(const ProofContext& context, const ProofCaseList& cases);

/// Without the cases, which go with it as its shared part. `digest_code` as digest_code_path().
Json prove_request(const std::string& device, const ProofContext& context,
                   const std::string& digest_code);

}  // namespace fusetune
