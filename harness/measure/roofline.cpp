#include "harness/measure/roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/stats/paired.hpp"

namespace fusetune {

namespace {

constexpr double kPlausible = 1.02;
/// Touches a quarter of its lines: no limit for accesses that touch them all.
constexpr const char* kStrided = "1:1 strided";

}  // namespace

double memory_gb_s(const std::vector<Bandwidth>& measured, double read_share) {
  std::map<double, double> best;  // by share of reads
  for (const Bandwidth& one : measured)
    if (one.mix != kStrided) best[one.read_share] = std::max(best[one.read_share], one.gb_s);
  if (best.empty()) return 0;
  const auto above = best.lower_bound(read_share);
  if (above == best.end()) return best.rbegin()->second;
  if (above == best.begin() || above->first == read_share) return above->second;
  const auto below = std::prev(above);
  const double part = (read_share - below->first) / (above->first - below->first);
  return below->second + part * (above->second - below->second);
}

void disprove_impossible(const Case& which, const std::vector<Bandwidth>& measured,
                         RaceResult& result) {
  const Traffic traffic = traffic_of(which);
  const auto bytes = static_cast<double>(traffic.read_bytes + traffic.write_bytes);
  if (!result.outcome.ok() || result.data != "cold" || bytes <= 0) return;
  const double limit_gb_s =
      kPlausible * memory_gb_s(measured, static_cast<double>(traffic.read_bytes) / bytes);
  if (limit_gb_s <= 0) return;
  std::vector<ArmTime> times;
  std::set<std::int32_t> arms;
  for (const Sample& sample : result.samples) {
    times.push_back({sample.arm, sample.epoch, sample.round, sample.us});
    arms.insert(sample.arm);
  }
  for (const std::int32_t arm : arms) {
    const double slowest_us = summarise_arm(times, arm).high_us;
    const double gb_s = bytes / slowest_us / 1000;
    if (gb_s <= limit_gb_s) continue;
    result.disproved.push_back(
        {arm,
         {Status::verification_failed,
          fmt::format(
              "impossible: {:.0f} GB/s or more, where this memory does {:.0f} with the same "
              "mix of reads and writes",
              gb_s, limit_gb_s / kPlausible)}});
    std::erase_if(result.samples, [arm](const Sample& sample) { return sample.arm == arm; });
  }
}

}  // namespace fusetune
