#pragma once
// The captured cases of families without a reference: what their variants are proved on.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "harness/tune/proof_cases.hpp"

namespace fusetune {

/// The captured cases of a plan, read once.
class CapturedCases {
 public:
  /// Throws UserError: a family with captured truth names no files, a case in them does not fit, or
  /// a geometry of the plan has none.
  explicit CapturedCases(const Plan& plan);

  /// With the code that is timed, and in EXACT mode where they have few rows and `has_exact`.
  std::vector<ProofCase> proof_cases(const Geometry& geometry, const EngineOptions& options,
                                     bool has_exact) const;

 private:
  void read(const std::shared_ptr<const Family>& family);
  void require_any(const Geometry& geometry) const;

  std::map<std::string, std::vector<ProofCase>> by_geometry_;
};

}  // namespace fusetune
