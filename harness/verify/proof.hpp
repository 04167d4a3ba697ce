#pragma once
// The proof of (code identity, launch plan, case): what was run, what was compared, and what came
// of it.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "harness/device/device.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// One kind of check with how much it compared. A proof whose checks compared nothing at all has
/// failed, except where the case has no bytes.
struct CheckCount {
  std::string
      name;  ///< "exact", "poison", "guards", "row_padding", "inputs_unchanged", "determinism", ...
  std::int64_t comparisons = 0;  ///< elements, bytes or runs; `unit` says which
  std::string unit;
};

struct Mismatch {
  std::string tensor;
  std::int64_t index = 0;  ///< element, padding not counted
  std::string text;  ///< "q of head 3, element 17, token 5 holds v of head 1, element 17, token 5"
};

/// Why a proof ended as it did, with the check that found it.
struct ProofReport {
  Outcome outcome;
  std::string failed_check;  ///< name of the check, "" when all passed
  std::vector<CheckCount> checks;
  std::int64_t mismatch_count = 0;
  std::vector<Mismatch> mismatches;  ///< the first eight
  std::int64_t passes = 0;  ///< full checks against expected outputs; large cases get fewer
  std::int64_t launches = 0;
  std::uint64_t seed = 0;
  std::string target;
  std::string mode;  ///< "fast"
  double wall_ms = 0;
};

Json to_json(const ProofReport& report);
ProofReport proof_from_json(const Json& json);

struct ProofOptions {
  std::uint64_t seed = 1;
  int determinism_runs = 2;  ///< further launches on other schedules whose output must be identical
  std::size_t large_bytes = std::size_t{64} << 20;  ///< of tensors; a larger case gets two passes
                                                    ///< and one determinism run
};

/// The code objects of a variant and its launches on this device, ready to run.
struct RunnableVariant {
  const LoadedCode* code = nullptr;
  std::vector<Launch> launches;
};

/// Proves one variant on one case. Never throws for a wrong kernel.
ProofReport prove(Device& device, const RunnableVariant& variant, const Case& which,
                  const ProofOptions& options);

}  // namespace fusetune
