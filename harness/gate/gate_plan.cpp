#include "harness/gate/gate_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/base/error.hpp"

namespace fusetune {

namespace {

bool is_same(const Variant& a, const Variant& b) {
  return a.implementation == b.implementation && a.axes == b.axes;
}

const TableRow* row_for(const Tables& tables, const Geometry& geometry, const std::string& key,
                        std::int64_t rows) {
  const auto table = tables.find(geometry.family->name);
  if (table == tables.end()) return nullptr;
  for (const TableRow& row : table->second.rows)
    if (row.rows_low <= rows && rows <= row.rows_high && row.geometry.key() == key) return &row;
  return nullptr;
}

/// The baseline's variant, where the candidate's family and space still have it.
std::optional<Variant> baseline_variant(const BaselineFile& baseline, const Case& which,
                                        const std::vector<Variant>& space) {
  const BaselineCase* known = baseline.find(which.key());
  if (known == nullptr) return std::nullopt;
  try {
    Variant variant = parse_variant_key(*which.geometry.family, known->variant_key);
    const bool listed = std::any_of(space.begin(), space.end(), [&variant](const Variant& one) {
      return is_same(one, variant);
    });
    return listed ? std::optional(std::move(variant)) : std::nullopt;
  } catch (const UserError&) {
    return std::nullopt;  // the family has other axes by now
  }
}

std::size_t place_of(std::vector<Variant>& variants, const Variant& variant) {
  const auto known = std::find_if(variants.begin(), variants.end(),
                                  [&variant](const Variant& one) { return is_same(one, variant); });
  const auto place = static_cast<std::size_t>(known - variants.begin());
  if (known == variants.end()) variants.push_back(variant);
  return place;
}

void choose(std::size_t g, const Tables& tables, const BaselineFile& baseline, GatePlan& gate) {
  PlannedGeometry& planned = gate.plan.geometries[g];
  const std::vector<Variant> space = std::exchange(planned.variants, {});
  const std::string key = planned.geometry.key();
  for (std::size_t c = 0; c < planned.cases.size(); ++c) {
    const Case& which = planned.cases[c].which;
    GateCase one{g, c, 0, ""};
    if (const TableRow* row = row_for(tables, planned.geometry, key, which.rows())) {
      one.variant = place_of(planned.variants, row->variant);
      one.chosen_by = "the table of this device";
    } else if (const auto known = baseline_variant(baseline, which, space)) {
      one.variant = place_of(planned.variants, *known);
      one.chosen_by = "the baseline";
    } else {
      one.variant = place_of(planned.variants, space.front());
      one.chosen_by = "the first of the space";
    }
    gate.cases.push_back(std::move(one));
  }
  // Outputs that are computed are proved against it.
  for (const Variant& variant : space)
    if (variant.implementation == planned.geometry.family->baseline)
      place_of(planned.variants, variant);
}

}  // namespace

GatePlan gate_plan(Plan plan, const Tables& tables, const BaselineFile& baseline) {
  GatePlan gate;
  gate.plan = std::move(plan);
  gate.plan.compile_only.clear();
  for (std::size_t g = 0; g < gate.plan.geometries.size(); ++g) choose(g, tables, baseline, gate);
  return gate;
}

}  // namespace fusetune
