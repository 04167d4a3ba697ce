#include "harness/tune/batch_cases.hpp"

#include <algorithm>
#include <set>

#include "harness/tune/proof_cases.hpp"

namespace fusetune {

namespace {

/// Another order of a sum changes an fp32 mean by about 2^-24 of itself and 1 / sqrt of it by half
/// of that. Elements of 8 significant bits lie up to 2^-8 apart, so about one in 2^17 of a row with
/// another mean rounds otherwise: so many elements show some sixteen of them.
constexpr std::int64_t kBatchElements = std::int64_t{2} << 20;
/// Beyond the row counts at which kernels switch paths.
constexpr std::int64_t kBatchRowsMin = 160, kBatchRowsMax = 8192;

Case at_rows(const Case& which, std::int64_t rows) { return cases_at_rows(which, rows).front(); }

std::int64_t result_elements(const Case& which) {
  std::int64_t elements = 0;
  for (const TensorDecl* tensor : tensors_of(which.geometry))
    if (tensor->role == Role::out || tensor->role == Role::inout)
      elements += shape_of(which, *tensor).elements();
  return elements;
}

std::int64_t batch_rows(const Case& which) {
  const std::int64_t few = result_elements(at_rows(which, kBatchRowsMin));
  const std::int64_t many = result_elements(at_rows(which, 2 * kBatchRowsMin));
  const std::int64_t of_row = std::max<std::int64_t>(1, (many - few) / kBatchRowsMin);
  return std::clamp(kBatchElements / of_row, kBatchRowsMin, kBatchRowsMax);
}

}  // namespace

Json to_json(const BatchCases& cases) {
  return {{"batch", to_json(cases.batch)}, {"row_counts", cases.row_counts}};
}

BatchCases batch_cases_from_json(const Json& json) {
  return {case_from_json(json.at("batch")), json.at("row_counts").get<std::vector<std::int64_t>>()};
}

BatchCases batch_cases(const PlannedGeometry& geometry, const Variant& variant,
                       const Target& target, const EngineOptions& options) {
  const Case& first = geometry.cases.front().which;
  BatchCases cases{at_rows(first, batch_rows(first)), {}};
  std::set<std::int64_t> counts{1, 2, 3, 8, 16, 33, 64, 65, 100, 128, 129};
  for (const std::int64_t rows : adversarial_rows(geometry.geometry, variant, target))
    counts.insert(rows);
  for (const PlannedCase& planned : geometry.cases)
    if (is_proved_at_own_shape(planned.which, options)) counts.insert(planned.which.rows());
  counts.erase(0);
  counts.erase(cases.batch.rows());
  cases.row_counts.assign(counts.begin(), counts.end());
  return cases;
}

}  // namespace fusetune
