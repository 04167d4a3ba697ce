#include "harness/cli/batch_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/cli/terminal.hpp"

namespace fusetune {

namespace {

struct BatchVerdicts {
  std::map<std::string, std::vector<std::string>> classes;  ///< digest -> variant keys
  std::vector<std::pair<std::string, std::string>> others;  ///< variant key, why
  std::int64_t bytes = 0;                                   ///< compared
  std::int64_t rows = 0, row_counts = 0;                    ///< of one variant, the most

  std::int64_t qualifying() const {
    std::int64_t count = 0;
    for (const auto& [digest, variants] : classes) count += std::ssize(variants);
    return count;
  }
};

BatchVerdicts verdicts_of(const Plan& plan, const Campaign& campaign, std::size_t geometry) {
  BatchVerdicts verdicts;
  const PlannedGeometry& planned = plan.geometries[geometry];
  for (const ProvedVariant& proved : campaign.proofs.variants) {
    if (proved.geometry != geometry || !proved.batch) continue;
    const std::string key = planned.variants[proved.variant].key(*planned.geometry.family);
    verdicts.bytes += proved.batch->bytes;
    verdicts.rows = std::max(verdicts.rows, proved.batch->rows);
    verdicts.row_counts = std::max(verdicts.row_counts, std::ssize(proved.batch->row_counts));
    if (proved.batch->qualifies())
      verdicts.classes[proved.batch->digest].push_back(key);
    else
      verdicts.others.emplace_back(
          key, proved.outcome.ok() ? proved.batch->difference : proved.outcome.message);
  }
  return verdicts;
}

/// The largest class first.
std::vector<const std::vector<std::string>*> by_size(const BatchVerdicts& verdicts) {
  std::vector<const std::vector<std::string>*> list;
  for (const auto& [digest, variants] : verdicts.classes) list.push_back(&variants);
  std::stable_sort(list.begin(), list.end(),
                   [](const auto* one, const auto* other) { return one->size() > other->size(); });
  return list;
}

}  // namespace

std::string batch_text(const Plan& plan, const Campaign& campaign, std::size_t geometry) {
  if (!plan.geometries[geometry].batch_invariant) return "";
  const BatchVerdicts verdicts = verdicts_of(plan, campaign, geometry);
  const std::int64_t asked = verdicts.qualifying() + std::ssize(verdicts.others);
  if (asked == 0) return "  batch invariance: nothing was compared\n";
  std::string out = wrapped(
      fmt::format("  batch invariance: {} of {} give a row the same bits at {} row counts as among "
                  "{} rows ({} bytes compared), in {}; those of one class give equal bits",
                  verdicts.qualifying(), counted(asked, "variant"), verdicts.row_counts,
                  verdicts.rows, verdicts.bytes,
                  verdicts.classes.size() == 1
                      ? "1 class"
                      : fmt::format("{} classes", verdicts.classes.size())),
      4);
  int number = 0;
  for (const std::vector<std::string>* variants : by_size(verdicts)) {
    out += fmt::format("    class {}, {}\n", ++number, counted(std::ssize(*variants), "variant"));
    for (const std::string& variant : *variants) out += wrapped("      " + variant, 8);
  }
  for (const auto& [variant, why] : verdicts.others)
    out += wrapped(fmt::format("    not {}: {}", variant, why), 6);
  return out;
}

Json batch_json(const Plan& plan, const Campaign& campaign, std::size_t geometry) {
  if (!plan.geometries[geometry].batch_invariant) return nullptr;
  const BatchVerdicts verdicts = verdicts_of(plan, campaign, geometry);
  Json classes = Json::array();
  for (const auto& [digest, variants] : verdicts.classes)
    classes.push_back({{"class", digest}, {"variants", variants}});
  Json others = Json::array();
  for (const auto& [variant, why] : verdicts.others)
    others.push_back({{"variant", variant}, {"why", why}});
  return Json{{"bytes", verdicts.bytes},
              {"rows", verdicts.rows},
              {"classes", std::move(classes)},
              {"others", std::move(others)}};
}

}  // namespace fusetune
