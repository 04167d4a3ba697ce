#include "harness/report/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace fusetune {

namespace {

struct KnownRow {
  const ReportGeometry* geometry = nullptr;
  const ReportRow* row = nullptr;
};
using KnownRows = std::map<std::tuple<std::string, std::string, std::int64_t>, KnownRow>;

KnownRows known_rows(const ReportDevice& device) {
  KnownRows rows;
  for (const ReportGeometry& geometry : device.geometries)
    for (const ReportRow& row : geometry.rows)
      rows[{geometry.family, geometry.key, row.tuned_at}] = {&geometry, &row};
  return rows;
}

RowChange change_of(const KnownRow& here, const KnownRow& there) {
  const KnownRow& any = here.row != nullptr ? here : there;
  RowChange change;
  change.family = any.geometry->family;
  change.label = any.geometry->label;
  change.tuned_at = any.row->tuned_at;
  if (here.row != nullptr) {
    change.variant_here = here.row->variant;
    change.us_here = here.row->certificate.median_us;
  }
  if (there.row != nullptr) {
    change.variant_there = there.row->variant;
    change.us_there = there.row->certificate.median_us;
  }
  if (there.row == nullptr)
    change.kind = RowChange::Kind::only_here;
  else if (here.row == nullptr)
    change.kind = RowChange::Kind::only_there;
  else if (change.variant_here != change.variant_there)
    change.kind = RowChange::Kind::other_variant;
  if (here.row != nullptr && there.row != nullptr) {
    const Certificate& one = here.row->certificate;
    const Certificate& two = there.row->certificate;
    change.apart = one.low_us > two.high_us || two.low_us > one.high_us;
  }
  return change;
}

/// Other variants first, then rows of one side, then rows whose times are apart.
int rank_of(const RowChange& change) {
  if (change.kind == RowChange::Kind::other_variant) return 0;
  if (change.kind != RowChange::Kind::same) return 1;
  return change.apart ? 2 : 3;
}

Changes changes_of(const ReportDevice& here, const ReportDevice& there,
                   const std::string& against) {
  Changes changes;
  changes.against = against;
  changes.same_conditions = here.conditions == there.conditions;
  const KnownRows ours = known_rows(here), theirs = known_rows(there);
  for (const auto& [key, row] : ours) {
    const auto other = theirs.find(key);
    changes.rows.push_back(change_of(row, other == theirs.end() ? KnownRow{} : other->second));
  }
  for (const auto& [key, row] : theirs)
    if (ours.count(key) == 0) changes.rows.push_back(change_of({}, row));
  std::stable_sort(changes.rows.begin(), changes.rows.end(),
                   [](const RowChange& a, const RowChange& b) { return rank_of(a) < rank_of(b); });
  return changes;
}

}  // namespace

void compare_reports(const Report& other, const std::string& against, Report& report) {
  for (ReportDevice& device : report.devices) {
    const auto there =
        std::find_if(other.devices.begin(), other.devices.end(),
                     [&device](const ReportDevice& one) { return one.name == device.name; });
    if (there == other.devices.end()) {
      report.left_out.push_back(
          fmt::format("{} has no rows of {} to compare with", against, device.name));
      continue;
    }
    device.changes = changes_of(device, *there, against);
  }
}

}  // namespace fusetune
