#pragma once
// What a gate judges: for each case the one variant that would be shipped.

#include <cstddef>
#include <string>
#include <vector>

#include "harness/gate/baseline_file.hpp"
#include "harness/spec/plan.hpp"
#include "harness/tune/table_stage.hpp"

namespace fusetune {

/// One case with its candidate, by their places in GatePlan::plan.
struct GateCase {
  std::size_t geometry = 0, planned_case = 0, variant = 0;
  std::string chosen_by;  ///< "the table of this device", "the baseline", "the first of the space"
};

struct GatePlan {
  Plan plan;  ///< its geometries have the candidates, and what their outputs are compared with
  std::vector<GateCase> cases;

  const Case& which(const GateCase& one) const {
    return plan.geometries[one.geometry].cases[one.planned_case].which;
  }
  const Variant& variant(const GateCase& one) const {
    return plan.geometries[one.geometry].variants[one.variant];
  }
};

/// The candidate of a case is the variant that the device's table names for its row count; without
/// a row, the baseline's own, where the space has it; else the first of the space. What a plan
/// compiles besides is left out.
GatePlan gate_plan(Plan plan, const Tables& tables, const BaselineFile& baseline);

}  // namespace fusetune
