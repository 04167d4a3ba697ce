#include "harness/cli/traffic_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "harness/cli/terminal.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/tune/traffic.hpp"

namespace fusetune {

namespace {

using Align = TextTable::Align;

/// The trace of a variant, whatever became of it, or nullptr.
const TracedVariant* trace_of(const TrafficSummary& traffic, std::size_t geometry,
                              std::size_t variant) {
  for (const TracedVariant& one : traffic.variants)
    if (one.geometry == geometry && one.variant == variant) return &one;
  return nullptr;
}

TracedTraffic of_entry(const TracedTraffic& traffic, const std::string& entry) {
  TracedTraffic part;
  for (const SiteTraffic& site : traffic.sites)
    if (site.entry == entry) part.sites.push_back(site);
  return part;
}

/// "16:40 4:2": 40 wave instructions of 16 bytes per lane, 2 of 4.
std::string widths(const TracedTraffic& traffic, bool write) {
  std::map<std::int64_t, std::int64_t, std::greater<>> counts;
  for (const SiteTraffic& site : traffic.sites)
    if (!site.shared && site.write == write) counts[site.access_bytes] += site.instructions;
  std::vector<std::string> parts;
  for (const auto& [bytes, instructions] : counts)
    parts.push_back(fmt::format("{}:{}", bytes, instructions));
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, " "));
}

std::string percent(const std::optional<std::int64_t>& value) {
  return value ? fmt::format("{}%", *value) : "-";
}

std::string conflicts(std::int64_t passes, std::int64_t ideal) {
  return ideal == 0 ? "-" : percent(lds_conflict_percent(passes, ideal));
}

/// Whole paths are for JSON; a family's folder has one file of a name.
std::string short_place(const std::string& place) {
  return place.empty() ? "?" : std::filesystem::path(place).filename().string();
}

void add_entry(TextTable& table, const TracedTraffic& whole, const std::string& entry,
               const Traffic& touched, std::vector<std::string> row, bool first) {
  const TracedTraffic part = of_entry(whole, entry);
  const TrafficTotals global = totals_of(part, false);
  const TrafficTotals lds = totals_of(part, true);
  row.insert(row.end(),
             {widths(part, false), widths(part, true), std::to_string(global.segments_32),
              percent(coalescing_percent(global.ideal_32, global.segments_32)),
              conflicts(lds.bank_passes, lds.bank_passes_ideal)});
  if (first) row.push_back(percent(moved_percent(whole, touched)));
  table.add(std::move(row));
}

void add_global(TextTable& table, const SiteTraffic& site) {
  table.add({short_place(site.place), site.write ? "store" : "load",
             std::to_string(site.access_bytes), std::to_string(site.instructions),
             std::to_string(site.lanes), std::to_string(site.segments_32),
             std::to_string(site.segments_64), std::to_string(site.segments_128),
             percent(coalescing_percent(site.ideal_32, site.segments_32))});
}

void add_shared(TextTable& table, const SiteTraffic& site) {
  table.add({short_place(site.place), site.write ? "store" : "load",
             std::to_string(site.access_bytes), std::to_string(site.instructions),
             std::to_string(site.lanes), std::to_string(site.bank_passes),
             std::to_string(site.bank_passes_ideal),
             conflicts(site.bank_passes, site.bank_passes_ideal)});
}

std::int64_t failed_traces(const TrafficSummary& traffic) {
  return std::count_if(traffic.variants.begin(), traffic.variants.end(),
                       [](const TracedVariant& one) {
                         return !one.outcome.ok() && one.outcome.status != Status::skipped;
                       });
}

/// How many variants, and at which row counts: one case stands for a geometry.
std::string traced_text(const TrafficSummary& traffic) {
  std::set<std::int64_t> rows;
  for (const TracedVariant& one : traffic.variants)
    if (one.outcome.ok()) rows.insert(traffic.cases[one.geometry].rows());
  if (rows.empty()) return "";
  return wrapped(
      fmt::format("memory traffic: {} traced (found {}), with {} rows",
                  counted(traffic.traced, "variant"), traffic.reused, fmt::join(rows, ", ")),
      2);
}

std::string rule_texts(const RequirementSummary& requirements) {
  std::vector<std::string> parts;
  for (const auto& [rule, variants] : requirements.unjudged)
    parts.push_back(fmt::format("{} ({} of it)", rule, counted(variants, "variant")));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string traffic_table(const Plan& plan, const TrafficSummary& traffic, std::size_t geometry,
                          VariantLegend& variants, VariantLegend& entries) {
  TextTable table(
      {"variant", "entry", "loads", "stores", "segments", "coalesced", "LDS conflicts", "moved"},
      {Align::left, Align::left, Align::left, Align::left, Align::right, Align::right, Align::right,
       Align::right});
  const PlannedGeometry& planned = plan.geometries[geometry];
  const Traffic touched = traffic_of(traffic.cases[geometry]);
  for (const TracedVariant& one : traffic.variants) {
    if (one.geometry != geometry) continue;
    const std::string key =
        variants.number(planned.variants[one.variant].key(*planned.geometry.family));
    if (!one.outcome.ok()) {
      table.add({key, std::string(to_string(one.outcome.status))});
      continue;
    }
    std::set<std::string> names;
    for (const SiteTraffic& site : one.traffic.sites) names.insert(site.entry);
    for (const std::string& name : names)
      add_entry(table, one.traffic, name, touched, {key, entries.number(name)},
                name == *names.begin());
  }
  return table.text(kLineWidth);
}

std::string lines_table(const TrafficSummary& traffic, std::size_t geometry, std::size_t variant) {
  const TracedVariant* traced = traffic.find(geometry, variant);
  if (traced == nullptr) return "";
  TextTable global(
      {"global memory", "", "bytes", "count", "lanes", "32 B", "64 B", "128 B", "coalesced"},
      {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right,
       Align::right, Align::right, Align::right});
  TextTable shared({"LDS", "", "bytes", "count", "lanes", "passes", "needed", "conflicts"},
                   {Align::left, Align::left, Align::right, Align::right, Align::right,
                    Align::right, Align::right, Align::right});
  for (const SiteTraffic& site : traced->traffic.sites)
    site.shared ? add_shared(shared, site) : add_global(global, site);
  std::string text;
  if (!global.empty()) text += global.text(kLineWidth) + "\n";
  if (!shared.empty()) text += shared.text(kLineWidth) + "\n";
  return text + fmt::format("barriers: {} over all blocks, wave operations: {} over all waves\n",
                            traced->traffic.barriers, traced->traffic.wave_operations);
}

std::string traffic_notes() {
  return wrapped(
             "loads and stores: bytes per lane and how many wave instructions; segments: 32-byte "
             "ones of global memory that they touch; coalesced: those needed against those "
             "touched; LDS conflicts: passes over the 32 banks that are added to those needed; "
             "moved: bytes of all segments against the bytes of the family",
             2) +
         "Traced on the host device, not proved: what lanes do after they part is told roughly.\n";
}

Json traffic_json(const TrafficSummary& traffic, std::size_t geometry, std::size_t variant) {
  const TracedVariant* traced = trace_of(traffic, geometry, variant);
  if (traced == nullptr) return nullptr;
  const Case& which = traffic.cases[geometry];
  Json facts = Json::object();
  if (traced->outcome.ok())
    for (const auto& [name, value] : facts_of(traced->traffic, traffic_of(which)))
      facts[name] = std::get<std::int64_t>(value);
  Json json = to_json(traced->traffic);
  json["status"] = std::string(to_string(traced->outcome.status));
  json["message"] = traced->outcome.message;
  json["case"] = which.key();
  json["facts"] = std::move(facts);
  return json;
}

std::string requirements_text(const Plan& plan, const Campaign& campaign) {
  std::string out = traced_text(campaign.traffic);
  if (const std::int64_t failed = failed_traces(campaign.traffic); failed > 0) {
    const auto first =
        std::find_if(campaign.traffic.variants.begin(), campaign.traffic.variants.end(),
                     [](const TracedVariant& one) {
                       return !one.outcome.ok() && one.outcome.status != Status::skipped;
                     });
    out += wrapped(fmt::format("not traced: {}, the first: {}: {}", counted(failed, "variant"),
                               to_string(first->outcome.status), first->outcome.message),
                   2);
  }
  const RequirementSummary& requirements = campaign.requirements;
  if (!requirements.broken.empty()) {
    const BrokenRequirement& first = requirements.broken.front();
    const PlannedGeometry& geometry = plan.geometries[first.geometry];
    out += wrapped(fmt::format("pruned after compilation: {}; the first: {} ({}), by {}",
                               counted(std::ssize(requirements.broken), "variant"), first.message,
                               first.target.name,
                               geometry.variants[first.variant].key(*geometry.geometry.family)),
                   2);
  }
  if (!requirements.unjudged.empty())
    out += wrapped(
        "required, but not judged, as no target tells the facts: " + rule_texts(requirements), 2);
  return out;
}

Json requirements_json(const Plan& plan, const Campaign& campaign) {
  Json pruned = Json::array();
  for (const BrokenRequirement& broken : campaign.requirements.broken) {
    const PlannedGeometry& geometry = plan.geometries[broken.geometry];
    pruned.push_back({{"geometry", geometry.geometry.key()},
                      {"variant", geometry.variants[broken.variant].key(*geometry.geometry.family)},
                      {"target", broken.target.name},
                      {"reason", broken.message}});
  }
  return Json{{"judged", campaign.requirements.judged},
              {"pruned", std::move(pruned)},
              {"not_judged", campaign.requirements.unjudged}};
}

}  // namespace fusetune
