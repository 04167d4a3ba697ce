#include "harness/cli/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/cli/text_table.hpp"
#include "harness/cli/variant_legend.hpp"

namespace fusetune {

namespace {

using Align = TextTable::Align;

const CaseRace* race_of(const Campaign& campaign, std::size_t geometry, std::size_t planned_case) {
  for (const CaseRace& race : campaign.races.races)
    if (race.geometry == geometry && race.planned_case == planned_case) return &race;
  return nullptr;
}

std::vector<std::string> winner_row(const PlannedGeometry& geometry, const CaseRace& race,
                                    VariantLegend& legend) {
  const Family& family = *geometry.geometry.family;
  const Case& which = geometry.cases[race.planned_case].which;
  const std::string rows = std::to_string(which.rows());
  if (!race.result.outcome.ok())
    return {rows, "-", "-", "-", "-", fmt::format("({})", race.result.outcome.message)};
  const ArmVerdict& verdict = race.choice.verdict(race.choice.arm);
  const Variant& variant = geometry.variants[race.arms[static_cast<std::size_t>(race.choice.arm)]];
  const double half =
      50 * (verdict.summary.high_us - verdict.summary.low_us) / verdict.summary.median_us;
  const std::string ratio =
      race.choice.is_default ? "default" : fmt::format("{:.2f}x", verdict.over_baseline.mid);
  return {rows,
          fmt::format("{:.2f} +-{:.0f}%", verdict.summary.median_us, half),
          ratio,
          std::to_string(race.choice.tie_set.size()),
          race.result.data,
          legend.number(variant.key(family))};
}

/// Status -> its failures, worst first.
std::map<Status, std::vector<const Failure*>> by_class(const Campaign& campaign) {
  std::map<Status, std::vector<const Failure*>> classes;
  for (const Failure& failure : campaign.failures) classes[failure.status].push_back(&failure);
  return classes;
}

}  // namespace

std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out;
  std::string line;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find(' ', begin);
    if (end == std::string::npos) end = text.size();
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && line.size() + 1 + word.size() > kLineWidth) {
      out += line + '\n';
      line = std::string(indent, ' ') + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
    begin = end + 1;
  }
  return out + line + '\n';
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
    for (std::size_t c = 0; c < geometry.cases.size(); ++c)
      if (const CaseRace* race = race_of(campaign, g, c); race != nullptr)
        table.add(winner_row(geometry, *race, legend));
    out += terminal.bold(geometry.geometry.key()) + "\n";
    if (!geometry.models.empty())
      out += terminal.dim(fmt::format("  for {}{}", fmt::join(geometry.models, ", "),
                                      geometry.verified ? "" : " (unverified figures)")) +
             "\n";
    out += table.text(kLineWidth) + legend.text() + "\n";
  }
  return out;
}

std::string failures_text(const Campaign& campaign, const Terminal& terminal) {
  std::string out;
  for (const auto& [status, failures] : by_class(campaign)) {
    const Failure& first = *failures.front();
    out += terminal.red(fmt::format("{}: {}", to_string(status),
                                    counted(static_cast<long long>(failures.size()), "variant"))) +
           fmt::format(" ({})\n", first.target);
    out += wrapped("  first: " + first.message, 4);
    out += fmt::format("  show it again: {}\n", repro_command(first));
  }
  return out;
}

std::string work_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  if (!campaign.did_work() && !campaign.interrupted) {
    out += "Nothing was compiled, proved or measured: everything was found in the store.\n";
  } else {
    out += fmt::format(
        "compiled {} (found {}), proved {} (found {}, same code {}), measured {} (found {})\n",
        campaign.compiled.compiled, campaign.compiled.reused, campaign.proofs.proved,
        campaign.proofs.reused, campaign.proofs.shared, counted(campaign.races.measured, "case"),
        campaign.races.reused);
  }
  std::string proofs = fmt::format(
      "proofs on {}: {} over {};", plan.target.name, counted(campaign.proofs.cases, "run"),
      counted(static_cast<long long>(campaign.proofs.variants.size()), "variant"));
  for (const CheckCount& check : campaign.proofs.checks)
    proofs += fmt::format("{} {} {} {}", &check == campaign.proofs.checks.data() ? "" : ",",
                          check.name, check.comparisons, check.unit);
  return out + wrapped(proofs, 2);
}

std::string remarks_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  for (const auto& [target, why] : campaign.compiled.unavailable)
    out += wrapped(fmt::format("not compiled for {}: {}", target, why), 2);
  if (!plan.skipped.empty())
    out += wrapped(fmt::format("skipped {}, the first: {}",
                               counted(static_cast<long long>(plan.skipped.size()), "model split"),
                               plan.skipped.front()),
                   2);
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
  if (pruned > 0)
    out += fmt::format("pruned before compilation: {} (constraints, filters, space {})\n",
                       counted(pruned, "variant"), plan.sweep.space.text());
  return out;
}

Json campaign_json(const Plan& plan, const Campaign& campaign) {
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
      row["versus_baseline"] = verdict.over_baseline.mid;
      row["ties"] = race.choice.tie_set.size();
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
                        {"repro", repro_command(failure)}});
  Json checks = Json::object();
  for (const CheckCount& check : campaign.proofs.checks) checks[check.name] = check.comparisons;
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
              {"checks", std::move(checks)},
              {"measured", campaign.races.measured},
              {"measure_found", campaign.races.reused},
              {"skipped", plan.skipped},
              {"rows", std::move(rows)},
              {"failures", std::move(failures)},
              {"files", std::move(files)},
              {"interrupted", campaign.interrupted},
              {"exit_code", static_cast<int>(campaign.exit_code())}};
}

}  // namespace fusetune
