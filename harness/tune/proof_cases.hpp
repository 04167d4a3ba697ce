#pragma once
// The cases that a variant is proved on, and how.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/process/worker_pool.hpp"
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

/// These row counts (the adversarial ones of a variant), every second one with padded rows, and the
/// cases' own shapes, where they are small or `own_shapes` says so. Cases of few rows are proved in
/// EXACT mode where `has_exact`; own shapes with the code that is timed in any case. Without
/// repetition.
std::vector<ProofCase> proof_cases(const PlannedGeometry& geometry,
                                   const std::vector<std::int64_t>& rows,
                                   const EngineOptions& options, bool has_exact, bool own_shapes);

/// How long a worker may make and compare what such a case needs, between its launches: far longer
/// than it takes even on a busy machine.
std::chrono::milliseconds proof_host_limit(std::int64_t case_bytes);

/// The cases of a proof in all the forms that it needs, for the many variants that share them.
class ProofCaseList {
 public:
  ProofCaseList(std::vector<ProofCase> cases, const Target& target, const DeviceFacts& facts);

  const std::vector<ProofCase>& cases() const { return cases_; }
  /// As workers are sent them.
  const std::shared_ptr<const SharedPart>& shared() const { return shared_; }
  /// Of a job that proves them all, where no step on the device takes longer than `step`.
  std::chrono::milliseconds limit(std::chrono::milliseconds step) const;
  /// All that tells one list from another, with the launches that a variant makes of it.
  std::string key(const Variant& variant) const;

 private:
  std::vector<ProofCase> cases_;
  std::shared_ptr<const SharedPart> shared_;
  std::vector<std::string> texts_;
  std::vector<CaseLaunches> launches_;
};

/// Whether a case is proved at its own shape before the race.
bool is_proved_at_own_shape(const Case& which, const EngineOptions& options);

}  // namespace fusetune
