// Writes a header whose table has a row for every shape of models.yaml; the figures in it are made
// up and go nowhere else.

#include <cstdio>

#include "harness/base/files.hpp"
#include "harness/device/device.hpp"
#include "harness/spec/plan.hpp"
#include "harness/table/table.hpp"

using namespace fusetune;

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  Sweep sweep;
  sweep.device = "host-w64";
  sweep.space = parse_space("1");
  SweepEntry entry;
  entry.family = find_family("split_reshape_cat");
  entry.models = {"all"};
  for (const std::int64_t tokens : {1, 16, 128, 1024, 8192}) entry.tokens.emplace_back(tokens, 1.0);
  sweep.entries.push_back(std::move(entry));
  const Plan plan = make_plan(sweep, Models::load_default(), parse_target("host-w64"));
  Table table;
  table.family = find_family("split_reshape_cat");
  table.device = "host-w64";
  table.target = plan.target;
  for (const PlannedGeometry& geometry : plan.geometries) {
    std::int64_t low = 0;
    for (const PlannedCase& planned : geometry.cases) {
      TableRow row;
      row.geometry = geometry.geometry;
      row.variant = geometry.variants.front();
      row.rows_low = low;
      row.rows_high = row.tuned_at = planned.which.rows();
      row.provenance.data = "cold";
      low = row.rows_high + 1;
      table.rows.push_back(std::move(row));
    }
  }
  write_file_atomic(argv[1], to_header(table));
  std::printf("%zu rows\n", table.rows.size());
  return 0;
}
