#include "harness/tune/captured_cases.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/hash.hpp"
#include "harness/verify/golden.hpp"

namespace fusetune {

CapturedCases::CapturedCases(const Plan& plan) {
  std::set<std::shared_ptr<const Family>> families;
  for (const PlannedGeometry& planned : plan.geometries) {
    const auto& family = planned.geometry.family;
    if (!family->has_captured_truth()) continue;
    if (families.insert(family).second) read(family);
    require_any(planned.geometry);
  }
}

void CapturedCases::read(const std::shared_ptr<const Family>& family) {
  if (family->captured.empty())
    throw UserError(fmt::format(
        "family {} has no reference, and its family.yaml names no files of captured cases: list "
        "them under `captured`, prove it with `fusetune golden FILE`, or add a reference",
        family->name));
  for (const std::filesystem::path& file : family->captured) {
    const std::string content = hash_hex(read_file(file));
    for (const GoldenCase& golden : read_golden(file)) {
      if (golden.lends && !maps_golden(*family, golden)) continue;
      const Case which = case_of_golden(family, golden);
      require_golden_fits(which, golden);
      by_geometry_[which.geometry.key()].push_back(
          {which, false, false, CapturedFrom{file, golden.name, content}});
    }
  }
}

void CapturedCases::require_any(const Geometry& geometry) const {
  if (by_geometry_.count(geometry.key()) != 0) return;
  std::vector<std::string> captured;
  for (const auto& [key, cases] : by_geometry_)
    if (cases.front().which.geometry.family == geometry.family) captured.push_back(key);
  throw UserError(fmt::format("nothing can prove {}: the captured cases are of {}", geometry.key(),
                              fmt::join(captured, ", ")));
}

std::vector<ProofCase> CapturedCases::proof_cases(const Geometry& geometry,
                                                  const EngineOptions& options,
                                                  bool has_exact) const {
  std::vector<ProofCase> list;
  for (const bool exact : {true, false})
    for (ProofCase one : by_geometry_.at(geometry.key())) {
      one.exact = exact;
      if (!exact || (has_exact && one.which.rows() <= options.exact_rows_max))
        list.push_back(std::move(one));
    }
  const auto rows = [](const ProofCase& a, const ProofCase& b) {
    return a.which.rows() < b.which.rows();
  };
  std::max_element(list.begin(), list.end(), rows)->thorough = true;
  return list;
}

}  // namespace fusetune
