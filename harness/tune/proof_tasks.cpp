#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "harness/tune/proof_stage.hpp"

namespace fusetune {

namespace {

/// The lists of late: variants of one geometry that share their tile sizes come soon after each
/// other.
class CaseLists {
 public:
  CaseLists(const Plan& plan, const EngineOptions& options, const DeviceFacts& device)
      : plan_(plan), options_(options), device_(device) {}

  std::shared_ptr<const ProofCaseList> list(const CompiledUnit& unit) {
    const PlannedGeometry& geometry = plan_.geometries[unit.geometry];
    const bool has_exact = unit.exact.has_value();
    const std::vector<std::int64_t> rows =
        adversarial_rows(geometry.geometry, geometry.variants[unit.variant], unit.target);
    if (lists_.size() == kMost) lists_.clear();
    std::shared_ptr<const ProofCaseList>& list = lists_[{unit.geometry, has_exact, rows}];
    if (!list)
      list = std::make_shared<ProofCaseList>(
          proof_cases(geometry, rows, options_, has_exact, plan_.own_shapes), unit.target, device_);
    return list;
  }

 private:
  static constexpr std::size_t kMost = 64;
  const Plan& plan_;
  const EngineOptions& options_;
  const DeviceFacts device_;
  std::map<std::tuple<std::size_t, bool, std::vector<std::int64_t>>,
           std::shared_ptr<const ProofCaseList>>
      lists_;
};

}  // namespace

std::vector<ProofTask> proof_tasks(const Plan& plan, const CapturedCases& captured,
                                   const CompileSummary& compiled, const EngineOptions& options,
                                   const DeviceFacts& device) {
  const auto lists = std::make_shared<CaseLists>(plan, options, device);
  std::vector<ProofTask> tasks;
  for (const CompiledUnit& unit : compiled.units) {
    if (unit.target != plan.target) continue;
    const Geometry& geometry = plan.geometries[unit.geometry].geometry;
    if (geometry.family->has_captured_truth())
      tasks.push_back({&unit, [&geometry, &unit, &options, &captured, device] {
                         return std::make_shared<ProofCaseList>(
                             captured.proof_cases(geometry, options, unit.exact.has_value()),
                             unit.target, device);
                       }});
    else
      tasks.push_back({&unit, [lists, &unit] { return lists->list(unit); }});
  }
  return tasks;
}

}  // namespace fusetune
