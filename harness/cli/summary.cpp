#include "harness/cli/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/cli/command_line.hpp"
#include "harness/cli/proof_text.hpp"
#include "harness/cli/sharing_text.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/traffic_text.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/case_plan.hpp"

namespace fusetune {

namespace {

using Align = TextTable::Align;

const CaseRace* race_of(const Campaign& campaign, std::size_t geometry, std::size_t planned_case) {
  for (const CaseRace& race : campaign.races.races)
    if (race.geometry == geometry && race.planned_case == planned_case) return &race;
  return nullptr;
}

bool has_baseline_arm(const PlannedGeometry& geometry, const CaseRace& race) {
  return std::any_of(race.arms.begin(), race.arms.end(), [&geometry](std::size_t variant) {
    return geometry.variants[variant].implementation == geometry.geometry.family->baseline;
  });
}

std::vector<std::string> winner_row(const PlannedGeometry& geometry, const CaseRace& race,
                                    VariantLegend& legend) {
  const Family& family = *geometry.geometry.family;
  const std::string rows = case_label(geometry, race.planned_case);
  if (!race.result.outcome.ok()) return {rows, "-", "-", "-", "-", "-"};
  const ArmVerdict& verdict = race.choice.verdict(race.choice.arm);
  const Variant& variant = geometry.variants[race.arms[static_cast<std::size_t>(race.choice.arm)]];
  const double half =
      50 * (verdict.summary.high_us - verdict.summary.low_us) / verdict.summary.median_us;
  std::string ratio = "-";
  if (race.choice.is_default)
    ratio = "default";
  else if (has_baseline_arm(geometry, race) && verdict.over_baseline.mid > 0)
    ratio = fmt::format("{:.2f}x", verdict.over_baseline.mid);
  return {rows,
          fmt::format("{:.2f} +-{:.0f}%", verdict.summary.median_us, half),
          ratio,
          std::to_string(race.choice.tie_set.size()),
          race.result.data,
          legend.number(variant.key(family))};
}

/// Status and target -> the failures.
using Classes = std::map<std::pair<Status, std::string>, std::vector<const Failure*>>;

Classes by_class(const Campaign& campaign) {
  Classes classes;
  for (const Failure& failure : campaign.failures)
    classes[{failure.status, failure.target}].push_back(&failure);
  return classes;
}

/// "3 variants", "2 variants, 5 failures" over several cases; a race may fail as a whole.
std::string extent_of(const std::vector<const Failure*>& failures) {
  std::set<std::string> variants;
  for (const Failure* failure : failures)
    if (!failure->variant_key.empty()) variants.insert(failure->variant_key);
  const auto count = static_cast<long long>(failures.size());
  if (variants.empty()) return counted(count, "race");
  std::string text = counted(static_cast<long long>(variants.size()), "variant");
  if (variants.size() != failures.size()) text += ", " + counted(count, "failure");
  return text;
}

}  // namespace

std::string case_label(const PlannedGeometry& geometry, std::size_t index) {
  const Case& which = geometry.cases[index].which;
  std::set<std::string> differing;
  for (const PlannedCase& other : geometry.cases) {
    if (other.which.rows() != which.rows()) continue;
    for (const auto& [name, value] : other.which.runtime)
      if (const auto own = which.runtime.find(name);
          own == which.runtime.end() || own->second != value)
        differing.insert(name);
    for (const auto& [name, stride] : other.which.row_strides)
      if (const auto own = which.row_strides.find(name);
          own == which.row_strides.end() || own->second != stride)
        differing.insert("stride_" + name);
  }
  std::string label = std::to_string(which.rows());
  for (const auto& [name, value] : which.runtime)
    if (differing.count(name) != 0) label += fmt::format(" {}={}", name, to_string(value));
  for (const auto& [name, stride] : which.row_strides)
    if (differing.count("stride_" + name) != 0) label += fmt::format(" stride_{}={}", name, stride);
  return label;
}

std::string winners_text(const Plan& plan, const Campaign& campaign, const Terminal& terminal) {
  std::string out;
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    const PlannedGeometry& geometry = plan.geometries[g];
    const Family& family = *geometry.geometry.family;
    TextTable table(
        {family.rows, "us per call", "vs " + family.baseline, "ties", "data", "variant"},
        {Align::right, Align::right, Align::right, Align::right, Align::left, Align::left});
    VariantLegend legend;
    std::string without;
    std::vector<const CaseRace*> races;
    for (std::size_t c = 0; c < geometry.cases.size(); ++c)
      if (const CaseRace* race = race_of(campaign, g, c); race != nullptr) {
        table.add(winner_row(geometry, *race, legend));
        races.push_back(race);
        if (!race->result.outcome.ok())
          without += wrapped(fmt::format("  {} {}: no winner: {}", family.rows,
                                         case_label(geometry, c), race->result.outcome.message),
                             4);
      }
    out += terminal.bold(short_key(geometry.geometry)) + "\n";
    if (!geometry.models.empty())
      out += terminal.dim(wrapped(fmt::format("  for {}{}", fmt::join(geometry.models, ", "),
                                              geometry.verified ? "" : " (unverified figures)"),
                                  4));
    out += table.text(kLineWidth) + legend.text() + sharing_text(geometry, races) + without + "\n";
  }
  return out;
}

std::string failures_text(const Campaign& campaign, const GlobalOptions& global) {
  std::string out;
  for (const auto& [what, failures] : by_class(campaign)) {
    const Failure& first = *failures.front();
    out += fmt::format(
        "{} ({})\n",
        global.terminal.red(fmt::format("{}: {}", to_string(what.first), extent_of(failures))),
        what.second);
    out += wrapped("  first: " + first.message, 4);
    out += fmt::format("  show it again:\n    {}\n", repro_text(global, first));
  }
  return out;
}

std::string work_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  const std::int64_t found = campaign.compiled.reused + campaign.proofs.reused +
                             campaign.traffic.reused + campaign.races.reused;
  if (!campaign.did_work() && !campaign.interrupted) {
    out += found > 0
               ? "Nothing was compiled, proved or measured: everything was found in the store.\n"
               : "There was nothing to do.\n";
  } else {
    out += fmt::format(
        "compiled {} (found {}), proved {} (found {}, same code {}), measured {} (found {})\n",
        campaign.compiled.compiled, campaign.compiled.reused, campaign.proofs.proved,
        campaign.proofs.reused, campaign.proofs.shared, counted(campaign.races.measured, "case"),
        campaign.races.reused);
    if (campaign.search.rounds > 0)
      out += fmt::format("searched in {}: batches measured {} (found {})\n",
                         counted(campaign.search.rounds, "round"), campaign.search.measured,
                         campaign.search.reused);
  }
  std::string proofs = fmt::format(
      "proofs on {}: {} over {}", plan.target.name, counted(campaign.proofs.cases, "run"),
      counted(static_cast<long long>(campaign.proofs.variants.size()), "variant"));
  for (const CheckCount& check : campaign.proofs.checks)
    proofs += fmt::format("{} {} {} {}", &check == campaign.proofs.checks.data() ? ";" : ",",
                          check.name, check.comparisons, check.unit);
  return out + wrapped(proofs, 2);
}

std::string remarks_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  for (const auto& [target, why] : campaign.compiled.unavailable)
    out += wrapped(fmt::format("not compiled for {}: {}", target, why), 2);
  if (!plan.skipped.empty())
    out += wrapped(
        fmt::format("skipped {}, the first: {}", plan.skipped.size(), plan.skipped.front()), 2);
  std::set<std::string> views;
  std::int64_t pruned = 0;
  for (const PlannedGeometry& geometry : plan.geometries) {
    pruned += static_cast<std::int64_t>(geometry.pruned.size());
    for (const Variant& variant : geometry.variants) {
      const ImplementationDecl* implementation =
          geometry.geometry.family->find_implementation(variant.implementation);
      if (implementation->launches.empty())
        views.insert(fmt::format("{}: {}", implementation->name, implementation->note));
    }
  }
  for (const std::string& view : views) out += wrapped("not raced: " + view, 2);
  for (const CodeCount& code : campaign.space.codes)
    if (code.distinct < code.variants)
      out += wrapped(fmt::format("equal code and launches in these cases on {}: {} are {} kernels",
                                 code.target, counted(code.variants, "variant"), code.distinct),
                     2);
  for (const DeadAxis& axis : campaign.space.dead_axes)
    out +=
        wrapped(fmt::format("dead axis on {}: {} of {} ({}) changes neither code nor launches in "
                            "these cases ({} of the other axes)",
                            axis.target, axis.axis, axis.family, axis.implementation,
                            counted(axis.choices, "choice")),
                2);
  for (const PlannedGeometry& geometry : plan.geometries)
    if (const auto& searched = geometry.searched)
      out += wrapped(fmt::format("search ({}, seed {}) of {}: tried {} of {}, {} too slow to race",
                                 to_string(searched->choice.strategy), searched->choice.seed,
                                 short_key(geometry.geometry), searched->tried,
                                 counted(searched->variants, "variant"), searched->slow.size()),
                     2);
  if (pruned > 0)
    out += wrapped(fmt::format("pruned before compilation: {} (constraints, filters, space {})",
                               counted(pruned, "variant"), plan.sweep.space.text()),
                   2);
  return out + requirements_text(plan, campaign);
}

namespace {

Json search_json(const Plan& plan, const Campaign& campaign) {
  Json geometries = Json::array();
  for (const PlannedGeometry& geometry : plan.geometries)
    if (geometry.searched)
      geometries.push_back({{"geometry", geometry.geometry.key()},
                            {"search", to_json(*geometry.searched)},
                            {"slow", geometry.searched->slow.size()}});
  return {{"rounds", campaign.search.rounds},
          {"measured", campaign.search.measured},
          {"measure_found", campaign.search.reused},
          {"geometries", std::move(geometries)}};
}

}  // namespace

Json campaign_json(const Plan& plan, const Campaign& campaign, const GlobalOptions& global) {
  Json rows = Json::array();
  for (const CaseRace& race : campaign.races.races) {
    const PlannedGeometry& geometry = plan.geometries[race.geometry];
    Json row{{"case", geometry.cases[race.planned_case].which.key()},
             {"status", std::string(to_string(race.result.outcome.status))},
             {"message", race.result.outcome.message}};
    if (race.result.outcome.ok()) {
      const ArmVerdict& verdict = race.choice.verdict(race.choice.arm);
      row["variant"] = geometry.variants[race.arms[static_cast<std::size_t>(race.choice.arm)]].key(
          *geometry.geometry.family);
      row["is_default"] = race.choice.is_default;
      row["median_us"] = verdict.summary.median_us;
      if (has_baseline_arm(geometry, race)) row["versus_baseline"] = verdict.over_baseline.mid;
      row["ties"] = race.choice.tie_set.size();
      row["reason"] = race.choice.reason;
    }
    rows.push_back(std::move(row));
  }
  Json failures = Json::array();
  for (const Failure& failure : campaign.failures)
    failures.push_back({{"status", std::string(to_string(failure.status))},
                        {"case", failure.case_key},
                        {"variant", failure.variant_key},
                        {"target", failure.target},
                        {"message", failure.message},
                        {"repro", repro_text(global, failure)}});
  Json checks = Json::object();
  for (const CheckCount& check : campaign.proofs.checks) checks[check.name] = check.comparisons;
  Json codes = Json::array();
  for (const CodeCount& code : campaign.space.codes)
    codes.push_back(
        {{"target", code.target}, {"variants", code.variants}, {"distinct", code.distinct}});
  Json dead_axes = Json::array();
  for (const DeadAxis& axis : campaign.space.dead_axes)
    dead_axes.push_back({{"family", axis.family},
                         {"implementation", axis.implementation},
                         {"target", axis.target},
                         {"axis", axis.axis},
                         {"choices", axis.choices}});
  Json files = Json::array();
  for (const auto& file : campaign.files) files.push_back(file.string());
  return Json{{"sweep", plan.sweep.name},
              {"device", campaign.device.name},
              {"geometries", plan.geometries.size()},
              {"variants", plan.variant_count()},
              {"cases", plan.case_count()},
              {"compiled", campaign.compiled.compiled},
              {"compile_found", campaign.compiled.reused},
              {"unavailable", campaign.compiled.unavailable},
              {"proved", campaign.proofs.proved},
              {"proof_found", campaign.proofs.reused},
              {"proof_runs", campaign.proofs.cases},
              {"exact_runs", campaign.proofs.exact_cases},
              {"checks", std::move(checks)},
              {"proofs", proofs_json(plan, campaign)},
              {"traced", campaign.traffic.traced},
              {"trace_found", campaign.traffic.reused},
              {"requirements", requirements_json(plan, campaign)},
              {"search", search_json(plan, campaign)},
              {"measured", campaign.races.measured},
              {"measure_found", campaign.races.reused},
              {"codes", std::move(codes)},
              {"dead_axes", std::move(dead_axes)},
              {"skipped", plan.skipped},
              {"rows", std::move(rows)},
              {"failures", std::move(failures)},
              {"files", std::move(files)},
              {"interrupted", campaign.interrupted},
              {"exit_code", static_cast<int>(campaign.exit_code())}};
}

}  // namespace fusetune
