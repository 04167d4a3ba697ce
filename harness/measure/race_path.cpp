// How launches of a race reach the device, and the argument sets that they go round: by what its
// fastest arm takes.

#include <algorithm>
#include <cmath>

#include "harness/measure/race_bench.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

constexpr int kDoublings = 3;
constexpr int kShortSpans = 3;
constexpr std::int64_t kSweepSpansMax = 4;  // that a sweep of the ring may be long

}  // namespace

void RaceBench::choose_path(const std::vector<std::int32_t>& arms, double best_us) {
  result_.path = to_string(path_);
  if (!asynchronous_) return;
  if (best_us >= options_.single_above_us) path_ = LaunchPath::single;
  prepare();
  if (best_us < options_.graph_below_us && device_.queue().graphs) {
    path_ = LaunchPath::graph;
  }
  open_timer();
  record(arms);
  result_.path = to_string(path_);
}

void RaceBench::record(const std::vector<std::int32_t>& arms) {
  for (const std::int32_t arm : arms) {
    if (path_ != LaunchPath::graph) return;
    const Outcome outcome = timer_->record(bound_[static_cast<std::size_t>(arm)]);
    if (outcome.ok()) continue;
    if (device_.lost()) throw ArmFailure{arm, outcome};
    path_ = LaunchPath::stream;
    result_.path = to_string(path_);
    flag("not recorded as graphs: " + outcome.message);
    open_timer();
  }
}

double RaceBench::time_of_ring(std::int32_t arm) {
  span(arm, plan_.sets);  // maps pages, and leaves the ring's end in the cache
  const double each = launch_us(arm, plan_.sets);
  const std::int64_t launches = length_of(arm, each).launches;
  std::vector<double> times;
  for (int i = 0; i < 3; ++i) times.push_back(launch_us(arm, launches));
  return median(times);
}

void RaceBench::prove_cold(std::int32_t arm) {
  if (!asynchronous_ || !options_.cold) return;
  const std::int64_t fitting = ring_bytes_max_ / ring_set_bytes(which_);
  double us = time_of_ring(arm);
  for (int doubling = 0; doubling < kDoublings; ++doubling) {
    if (2 * plan_.sets > fitting) {
      flag("coldness not proven: no memory for twice the ring");
      return;
    }
    plan_.sets *= 2;
    plan_.over_cache *= 2;
    const std::int64_t wanted = plan_.sets;
    fresh_memory(0);
    if (plan_.sets < wanted) {
      flag("coldness not proven: no memory for twice the ring");
      return;
    }
    const double doubled_us = time_of_ring(arm);
    result_.ring_doubled = doubled_us / us;
    if (result_.ring_doubled <= options_.doubling_max) {
      // The ring was large enough.
      plan_.sets /= 2;
      plan_.over_cache /= 2;
      return;
    }
    plan_.cold = true;
    us = doubled_us;
  }
  flag("coldness not proven: every doubling of the ring was slower");
}

double RaceBench::time_of_short_ring(std::int32_t arm) {
  const std::int64_t half = plan_.sets / 2;
  std::vector<double> times;
  launch_us(arm, plan_.sets);  // maps pages
  for (int i = 0; i < kShortSpans; ++i) {
    const double half_us = launch_us(arm, half);
    times.push_back(std::min(half_us, launch_us(arm, plan_.sets)));
  }
  return median(times);
}

void RaceBench::shorten_ring(std::int32_t arm) {
  if (path_ != LaunchPath::graph || !options_.cold || !thermometer_) return;
  const double us = time_of_ring(arm);
  const auto span_sets = static_cast<std::int64_t>(std::ceil(span_us_min_ / us));
  if (plan_.sets <= kSweepSpansMax * span_sets) return;
  const RingPlan long_ring = plan_;
  const std::int64_t graph = device_.queue().graph_launches_max;
  plan_.sets = 2 * ((span_sets + graph - 1) / graph * graph);
  plan_.over_cache *= static_cast<double>(plan_.sets) / static_cast<double>(long_ring.sets);
  short_ring_ = true;
  copy_us_ = thermometer_->read_us();
  fresh_memory(0);
  const bool whole = plan_.sets % 2 == 0;  // or it shrank
  if (whole && options_.doubling_max * time_of_short_ring(arm) >= us) {
    flag("short ring, and the cache emptied before each span");
    return;
  }
  short_ring_ = false;
  plan_ = long_ring;
}

}  // namespace fusetune
