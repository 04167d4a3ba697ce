#pragma once
// Compiles every variant of a plan for the device's target and the compile-only ones, taking what
// the store has. For a host device each variant gets two code objects: the one that is timed and
// proved at its own shape, and an instrumented one for EXACT proofs.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/compile/code_store.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

/// One variant of one geometry for one target.
struct CompiledUnit {
  std::size_t geometry = 0;  ///< index into Plan::geometries
  std::size_t variant = 0;   ///< index into its variants
  Target target;
  std::string key;  ///< of the code-object store; empty when no compiler could be asked
  StoredCode code;
  std::string exact_key;            ///< of the instrumented code; empty when there is none
  std::optional<StoredCode> exact;  ///< device targets that see every access (the host's)
};

struct CompileSummary {
  std::vector<CompiledUnit> units;
  std::int64_t compiled = 0;
  std::int64_t reused = 0;
  std::map<std::string, std::string> compilers;    ///< target -> identity
  std::map<std::string, std::string> unavailable;  ///< target -> why nothing was compiled for it

  /// The unit for a target, or nullptr.
  const CompiledUnit* find(std::size_t geometry, std::size_t variant, const Target& target) const;
};

/// Failures are outcomes of their units; throws UserError only when the store refuses to be
/// written. `with_exact`: instrumented code as well, where the session's options ask for such
/// proofs.
CompileSummary compile_plan(const Plan& plan, Session& session, bool with_exact = true);

/// The compiler identity for a target as a compile worker reports it; sets `why` when there is
/// none.
std::string compiler_identity(const Target& target, std::string* why);

/// The worker's side of one request.
Json handle_compile_request(const Json& request);

}  // namespace fusetune
