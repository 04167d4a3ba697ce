#pragma once
// What compilations and proofs came to, by geometry and target: the part of a report before any
// race.

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/report/report_data.hpp"
#include "harness/store/records.hpp"

namespace fusetune {

/// What one (geometry, target) came to before any race.
struct BuiltGeometry {
  Geometry geometry;
  std::string label;
  Fates fates;  ///< as the newest record of each variant has it
  std::map<std::string, std::vector<KernelFacts>> facts;  ///< by variant, of the code that is timed
  std::string compiler;
  std::set<std::string> sound;  ///< variants that compiled, less those that failed later
};

class BuildSteps {
 public:
  /// These throw a std::exception with words where a record's names are not known here.
  void add_compilation(const StepRecord& step);
  void add_proof(const StepRecord& step);

  /// Nothing where nothing was built of it.
  const BuiltGeometry* find(const std::string& geometry_key, const std::string& target) const;
  /// Of the proofs of a geometry.
  std::set<std::string> targets_of(const std::string& geometry_key) const;

  /// Of these steps and of the races of `devices`, the largest class first.
  std::vector<FailureClass> failures(const std::vector<ReportDevice>& devices) const;
  /// By target and family; chosen is what a row of `devices` names.
  std::vector<TargetFacts> facts(const std::vector<ReportDevice>& devices) const;

  std::int64_t compiled = 0, proved = 0, comparisons = 0;  ///< steps, and comparisons of proofs

 private:
  BuiltGeometry& at(const std::string& geometry_key, const std::string& target);

  std::map<std::pair<std::string, std::string>, BuiltGeometry> built_;  // geometry key, target
  std::map<std::string, std::set<std::string>> targets_;                // of proofs, by geometry
};

}  // namespace fusetune
