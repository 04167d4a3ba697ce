#include "harness/gate/static_facts.hpp"

#include <optional>
#include <utility>

#include "harness/tune/traffic.hpp"

namespace fusetune {

namespace {

constexpr std::int64_t kSegmentBytes = 32;

using WidthCounts = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// The width that moves most bytes (of equals the wider), and how many instructions there are.
void add_accesses(const WidthCounts& counts, const std::string& kind, Facts& facts) {
  std::int64_t instructions = 0;
  std::int64_t most = 0;
  std::int64_t width = 0;
  for (const auto& [bytes_per_lane, count] : counts) {
    instructions += count;
    if (bytes_per_lane * count < most) continue;
    most = bytes_per_lane * count;
    width = bytes_per_lane;
  }
  facts[kind + "_instructions"] = instructions;
  if (instructions > 0) facts[kind + "_bytes_per_lane"] = width;
}

FactsEntry entry_of(const Plan& plan, std::size_t geometry, std::size_t variant) {
  const PlannedGeometry& planned = plan.geometries[geometry];
  FactsEntry entry;
  entry.geometry = planned.geometry.key();
  entry.variant = planned.variants[variant].key(*planned.geometry.family);
  return entry;
}

}  // namespace

Facts facts_of_kernel(const KernelFacts& kernel) {
  Facts facts;
  const auto add = [&facts](const char* name, const std::optional<std::int64_t>& value) {
    if (value) facts[name] = *value;
  };
  add("vgpr", kernel.vgpr);
  add("agpr", kernel.agpr);
  add("sgpr", kernel.sgpr);
  add("vgpr_spills", kernel.vgpr_spills);
  add("sgpr_spills", kernel.sgpr_spills);
  add("scratch_bytes", kernel.scratch_bytes);
  add("lds_bytes", kernel.lds_bytes);
  add("occupancy_waves", kernel.occupancy_waves);
  add("code_bytes", kernel.code_bytes);
  // A target whose code is not disassembled tells neither; one that is has at least one of them.
  if (!kernel.global_loads.empty() || !kernel.global_stores.empty()) {
    add_accesses(kernel.global_loads, "load", facts);
    add_accesses(kernel.global_stores, "store", facts);
  }
  return facts;
}

FactsEntry facts_entry(const Plan& plan, const CompiledUnit& unit) {
  FactsEntry entry = entry_of(plan, unit.geometry, unit.variant);
  entry.code_identity = unit.code.code_identity;
  for (const KernelFacts& kernel : unit.code.facts.kernels)
    entry.parts[kernel.entry] = facts_of_kernel(kernel);
  return entry;
}

FactsEntry facts_entry(const Plan& plan, const TracedVariant& traced, const Case& which) {
  FactsEntry entry = entry_of(plan, traced.geometry, traced.variant);
  Facts& facts = entry.parts["trace"];
  for (const auto& [name, value] : facts_of(traced.traffic, traffic_of(which)))
    facts[name] = std::get<std::int64_t>(value);
  facts["moved_bytes"] = kSegmentBytes * totals_of(traced.traffic, false).segments_32;
  return entry;
}

}  // namespace fusetune
