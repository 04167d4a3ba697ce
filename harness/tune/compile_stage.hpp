#pragma once
// Compiles every variant of a plan for the device's target and the compile-only ones, taking what
// the store has. For a host device each variant gets two code objects: the one that is timed and
// proved at its own shape, and an instrumented one for EXACT proofs.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/compile/code_store.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/session.hpp"
#include "harness/tune/variant_index.hpp"

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

 private:
  mutable VariantIndex index_;
};

/// The device's target, then the compile-only ones.
std::vector<Target> targets_of(const Plan& plan);

class TargetQueue;

/// The compilations of a plan, for whoever runs the pool. Failures are outcomes of their units.
class CompileStage {
 public:
  /// Lists the units. `done` is told the index of each that has got all of its code, or none; equal
  /// requests are compiled once. `with_exact`: instrumented code as well, where the session's
  /// options ask for such proofs. All references must outlive the pool's run.
  CompileStage(const Plan& plan, Session& session, WorkerPool& pool, CompileSummary& summary,
               bool with_exact, std::function<void(std::size_t)> done, SourceReader sources = {});
  ~CompileStage();
  CompileStage(const CompileStage&) = delete;
  CompileStage& operator=(const CompileStage&) = delete;

  /// Counts what is to be done.
  void begin();
  /// Takes what the store has and submits the rest.
  void start();
  /// No compilation can end well here (disk full, ...): the run is to stop.
  bool broken() const;
  /// After the run. Throws UserError where it was broken.
  void finish();

 private:
  void list_target(const Target& target, bool with_exact);
  void tell(std::size_t index);

  const Plan& plan_;
  Session& session_;
  WorkerPool& pool_;
  SourceReader sources_;
  CompileSummary& summary_;
  std::function<void(std::size_t)> done_;
  std::map<std::string, std::size_t> first_of_;            ///< by key
  std::map<std::size_t, std::vector<std::size_t>> twins_;  ///< of the first with their key
  std::vector<std::size_t> refused_;                       ///< nothing compiles for their target
  std::vector<std::unique_ptr<TargetQueue>> queues_;
};

/// Compiles a plan and does nothing else. Throws UserError when the store refuses to be written.
CompileSummary compile_plan(const Plan& plan, Session& session, bool with_exact = true,
                            SourceReader sources = {});

/// The compiler identity for a target as a compile worker reports it; sets `why` when there is
/// none.
std::string compiler_identity(const Target& target, std::string* why);

/// The worker's side of one request.
CompileRequest asked_to_compile(const Json& request);
Json handle_compile_request(const Json& request);

}  // namespace fusetune
