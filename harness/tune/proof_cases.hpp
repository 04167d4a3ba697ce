#pragma once
// The cases that a variant is proved on, and how.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/spec/plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// A captured case, whose file has the inputs and the truth.
struct CapturedFrom {
  std::filesystem::path file;
  std::string name;
  std::string content_hash;  ///< of the file: another content is another proof
};

struct ProofCase {
  Case which;
  bool exact = false;     ///< with the instrumented code
  bool thorough = false;  ///< with the parts of the protocol that one case stands for
  std::optional<CapturedFrom> captured;  ///< in place of generated inputs and a reference
};

/// Worker messages and proof keys carry them as JSON.
Json to_json(const ProofCase& one);
ProofCase proof_case_from_json(const Json& json);

/// The adversarial row counts, every second one with padded rows, and the cases' own shapes, where
/// they are small or `own_shapes` says so. Cases of few rows are proved in EXACT mode where
/// `has_exact`; own shapes with the code that is timed in any case. Without repetition.
std::vector<ProofCase> proof_cases(const PlannedGeometry& geometry, const Variant& variant,
                                   const Target& target, const EngineOptions& options,
                                   bool has_exact, bool own_shapes);

/// Whether a case is proved at its own shape before the race.
bool is_proved_at_own_shape(const Case& which, const EngineOptions& options);

}  // namespace fusetune
