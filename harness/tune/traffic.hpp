#pragma once
// What a trace says of a variant in a few integers, and what those integers are asked to be.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "harness/base/json.hpp"
#include "harness/compile/compiler.hpp"
#include "harness/device/watch.hpp"
#include "harness/spec/geometry.hpp"

namespace fusetune {

/// Sums over all sites of one kind, of a launch list.
struct TrafficTotals {
  std::int64_t instructions = 0;
  std::int64_t segments_32 = 0, ideal_32 = 0;
  std::int64_t bank_passes = 0, bank_passes_ideal = 0;
};
TrafficTotals totals_of(const TracedTraffic& traffic, bool shared);

/// 100 * ideal / segments, rounded down; nothing where no global memory was accessed.
std::optional<std::int64_t> coalescing_percent(std::int64_t ideal_32, std::int64_t segments_32);
/// Passes that conflicts added, in percent of those needed; 0 without LDS accesses.
std::int64_t lds_conflict_percent(std::int64_t passes, std::int64_t ideal);
/// Bytes of all 32-byte segments touched against those of the family; nothing for no bytes.
std::optional<std::int64_t> moved_percent(const TracedTraffic& traffic, const Traffic& touched);

/// The facts of traffic_fact_names() that the trace knows.
Bindings facts_of(const TracedTraffic& traffic, const Traffic& touched);
/// The facts of code_fact_names() that the target tells of every entry.
Bindings facts_of(const CodeFacts& code);

Json to_json(const TracedTraffic& traffic);
TracedTraffic traffic_from_json(const Json& json);

}  // namespace fusetune
