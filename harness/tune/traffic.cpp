#include "harness/tune/traffic.hpp"

#include <algorithm>
#include <map>

namespace fusetune {

namespace {

constexpr std::int64_t kSegmentBytes = 32;

/// Calls visit(name, member) for every number, so that both directions share one list.
template <class Site, class Visit>
void for_each_number(Site& site, Visit visit) {
  visit("access_bytes", site.access_bytes);
  visit("instructions", site.instructions);
  visit("lanes", site.lanes);
  visit("segments_32", site.segments_32);
  visit("segments_64", site.segments_64);
  visit("segments_128", site.segments_128);
  visit("ideal_32", site.ideal_32);
  visit("ideal_64", site.ideal_64);
  visit("ideal_128", site.ideal_128);
  visit("bank_passes", site.bank_passes);
  visit("bank_passes_ideal", site.bank_passes_ideal);
}

/// The narrowest accesses of one direction, and the width that moves most bytes (of equals the
/// wider).
void add_widths(const TracedTraffic& traffic, bool write, Bindings& facts) {
  std::map<std::int64_t, std::int64_t> bytes_of_width;
  for (const SiteTraffic& site : traffic.sites)
    if (!site.shared && site.write == write)
      bytes_of_width[site.access_bytes] += site.lanes * site.access_bytes;
  if (bytes_of_width.empty()) return;
  const auto most = std::max_element(
      bytes_of_width.rbegin(), bytes_of_width.rend(),
      [](const auto& one, const auto& other) { return one.second < other.second; });
  const std::string name = write ? "store_bytes_per_lane" : "load_bytes_per_lane";
  facts[name] = most->first;
  facts[name + "_min"] = bytes_of_width.begin()->first;
}

using CodeFact = std::optional<std::int64_t> KernelFacts::*;

/// The graver of all entries, where each of them tells.
void add_code_fact(const CodeFacts& code, const char* name, CodeFact member, bool smallest,
                   Bindings& facts) {
  std::optional<std::int64_t> worst;
  for (const KernelFacts& kernel : code.kernels) {
    const std::optional<std::int64_t>& value = kernel.*member;
    if (!value) return;
    if (!worst || (smallest ? *value < *worst : *value > *worst)) worst = value;
  }
  if (worst) facts[name] = *worst;
}

}  // namespace

TrafficTotals totals_of(const TracedTraffic& traffic, bool shared) {
  TrafficTotals totals;
  for (const SiteTraffic& site : traffic.sites) {
    if (site.shared != shared) continue;
    totals.instructions += site.instructions;
    totals.segments_32 += site.segments_32;
    totals.ideal_32 += site.ideal_32;
    totals.bank_passes += site.bank_passes;
    totals.bank_passes_ideal += site.bank_passes_ideal;
  }
  return totals;
}

std::optional<std::int64_t> coalescing_percent(std::int64_t ideal_32, std::int64_t segments_32) {
  if (segments_32 == 0) return std::nullopt;
  return 100 * ideal_32 / segments_32;
}

std::int64_t lds_conflict_percent(std::int64_t passes, std::int64_t ideal) {
  return ideal == 0 ? 0 : 100 * (passes - ideal) / ideal;
}

std::optional<std::int64_t> moved_percent(const TracedTraffic& traffic, const Traffic& touched) {
  const std::int64_t bytes = touched.read_bytes + touched.write_bytes;
  if (bytes == 0) return std::nullopt;
  return 100 * kSegmentBytes * totals_of(traffic, false).segments_32 / bytes;
}

Bindings facts_of(const TracedTraffic& traffic, const Traffic& touched) {
  Bindings facts;
  const TrafficTotals global = totals_of(traffic, false);
  if (const auto percent = coalescing_percent(global.ideal_32, global.segments_32))
    facts["coalescing_percent"] = *percent;
  add_widths(traffic, false, facts);
  add_widths(traffic, true, facts);
  if (const auto percent = moved_percent(traffic, touched)) facts["moved_percent"] = *percent;
  const TrafficTotals lds = totals_of(traffic, true);
  facts["lds_conflict_percent"] = lds_conflict_percent(lds.bank_passes, lds.bank_passes_ideal);
  facts["barriers"] = traffic.barriers;
  facts["wave_operations"] = traffic.wave_operations;
  return facts;
}

Bindings facts_of(const CodeFacts& code) {
  Bindings facts;
  const auto add = [&](const char* name, CodeFact member, bool smallest = false) {
    add_code_fact(code, name, member, smallest, facts);
  };
  add("vgpr", &KernelFacts::vgpr);
  add("sgpr", &KernelFacts::sgpr);
  add("vgpr_spills", &KernelFacts::vgpr_spills);
  add("sgpr_spills", &KernelFacts::sgpr_spills);
  add("lds_bytes", &KernelFacts::lds_bytes);
  add("scratch_bytes", &KernelFacts::scratch_bytes);
  add("occupancy_waves", &KernelFacts::occupancy_waves, true);
  return facts;
}

Json to_json(const TracedTraffic& traffic) {
  Json sites = Json::array();
  for (const SiteTraffic& site : traffic.sites) {
    Json json{{"entry", site.entry},
              {"place", site.place},
              {"write", site.write},
              {"shared", site.shared}};
    for_each_number(site, [&json](const char* name, std::int64_t value) { json[name] = value; });
    sites.push_back(std::move(json));
  }
  return Json{{"sites", std::move(sites)},
              {"barriers", traffic.barriers},
              {"wave_operations", traffic.wave_operations},
              {"read_bytes", traffic.read_bytes},
              {"write_bytes", traffic.write_bytes}};
}

TracedTraffic traffic_from_json(const Json& json) {
  TracedTraffic traffic;
  for (const Json& item : json.at("sites")) {
    SiteTraffic& site = traffic.sites.emplace_back();
    site.entry = item.at("entry").get<std::string>();
    site.place = item.at("place").get<std::string>();
    site.write = item.at("write").get<bool>();
    site.shared = item.at("shared").get<bool>();
    for_each_number(site, [&item](const char* name, std::int64_t& value) {
      value = item.at(name).get<std::int64_t>();
    });
  }
  traffic.barriers = json.at("barriers").get<std::int64_t>();
  traffic.wave_operations = json.at("wave_operations").get<std::int64_t>();
  traffic.read_bytes = json.at("read_bytes").get<std::int64_t>();
  traffic.write_bytes = json.at("write_bytes").get<std::int64_t>();
  return traffic;
}

}  // namespace fusetune
