#pragma once
// The row counts at which a variant has to give a row the same bits.

#include <cstdint>
#include <vector>

#include "harness/spec/plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

struct BatchCases {
  Case batch;  ///< the same for all variants of a geometry, whatever a sweep tunes
  std::vector<std::int64_t> row_counts;  ///< sorted; some may be above the batch's
};

Json to_json(const BatchCases& cases);
BatchCases batch_cases_from_json(const Json& json);

/// Counts on both sides of powers of two, those at which the variant is proved and those of the
/// geometry's own cases, as far as these are proved at their own shape. Strides and scalars are
/// those of the geometry's first case.
BatchCases batch_cases(const PlannedGeometry& geometry, const Variant& variant,
                       const Target& target, const EngineOptions& options);

}  // namespace fusetune
