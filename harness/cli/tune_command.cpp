#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/base/error.hpp"
#include "harness/cli/aftermath.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/summary.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/expected_times.hpp"
#include "harness/tune/search_stage.hpp"

namespace fusetune {

namespace {

/// Throws UserError, with the nearest name, on a family that the sweep does not have.
void require_families(const Sweep& sweep, const std::vector<std::string>& families) {
  std::vector<std::string> known;
  for (const SweepEntry& entry : sweep.entries)
    if (std::find(known.begin(), known.end(), entry.family->name) == known.end())
      known.push_back(entry.family->name);
  for (const std::string& name : families)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UserError(fmt::format("{}: {}", sweep.file.string(),
                                  unknown_name("family of this sweep", name, known)));
}

Sweep sweep_with_overrides(const TuneOptions& options) {
  Sweep sweep = load_sweep(options.sweep);
  require_families(sweep, options.families);
  keep_families(sweep, options.families);
  if (!options.device.empty()) sweep.device = options.device;
  set_space(sweep, options.space);
  if (options.budget_s > 0) sweep.measure.budget_s = options.budget_s;
  return sweep;
}

/// Variants of a geometry that its search leaves out.
std::int64_t untried(const Plan& plan, const PlannedGeometry& geometry) {
  const std::int64_t searched = std::ssize(searched_variants(plan, geometry));
  return searched == 0 ? 0 : searched - plan.sweep.search.evaluations;
}

/// Those that are compiled.
std::int64_t launched_variants(const Plan& plan, const PlannedGeometry& geometry) {
  return std::count_if(geometry.variants.begin(), geometry.variants.end(),
                       [&](const Variant& v) {
                         return !geometry.geometry.family->find_implementation(v.implementation)
                                     ->launches.empty();
                       }) -
         untried(plan, geometry);
}

/// "search: tries 64 of 253 variants (model, seed 1)", or nothing where all are tried.
std::string search_text(const Plan& plan, const PlannedGeometry& geometry) {
  const std::int64_t searched = std::ssize(searched_variants(plan, geometry));
  if (searched == 0) return "";
  const SearchChoice& choice = plan.sweep.search;
  return fmt::format("search: tries {} of {} ({}, seed {}), in batches; the best are raced",
                     choice.evaluations, counted(searched, "variant"), to_string(choice.strategy),
                     choice.seed);
}

struct Expected {
  std::int64_t compilations = 0;
  std::int64_t launches = 0;  ///< of the proofs' cases, each run once
  double seconds = 0;
};

Expected expect(const Plan& plan, const EngineOptions& engine, int jobs) {
  Expected expected;
  double work_ms = 0;
  // Of a host target, one to time and one that is instrumented, for EXACT proofs.
  const std::int64_t codes =
      plan.target.platform == Platform::host && engine.exact_rows_max > 0 ? 2 : 1;
  for (const PlannedGeometry& geometry : plan.geometries) {
    const std::int64_t variants = launched_variants(plan, geometry);
    std::int64_t left_out = untried(plan, geometry);
    expected.compilations += variants * (codes + std::ssize(plan.compile_only));
    work_ms += static_cast<double>(variants * codes) * expected_compile_ms(plan.target.platform) +
               static_cast<double>(variants) * kProofMs;
    for (const Target& target : plan.compile_only)
      work_ms += static_cast<double>(variants) * expected_compile_ms(target.platform);
    for (const Variant& variant : geometry.variants) {
      // Which ones a search leaves out is not known yet; of one implementation all launch as often.
      if (variant.implementation == geometry.geometry.family->tuned && left_out-- > 0) continue;
      for (const PlannedCase& planned : geometry.cases)
        expected.launches += static_cast<std::int64_t>(
            launches_of(planned.which, variant, plan.target, DeviceFacts{}).size());
    }
  }
  expected.seconds = work_ms / 1000 / jobs + plan.sweep.measure.budget_s;
  return expected;
}

void print_dry_run(const Plan& plan, const GlobalOptions& global) {
  const Expected expected = expect(plan, global.engine, job_count(global.engine));
  if (global.json) {
    Json geometries = Json::array();
    for (const PlannedGeometry& geometry : plan.geometries) {
      Json cases = Json::array();
      for (const PlannedCase& planned : geometry.cases)
        cases.push_back({{"case", planned.which.key()}, {"weight", planned.weight}});
      Json variants = Json::array();
      for (const Variant& variant : geometry.variants)
        variants.push_back(variant.key(*geometry.geometry.family));
      geometries.push_back({{"geometry", geometry.geometry.key()},
                            {"models", geometry.models},
                            {"variants", std::move(variants)},
                            {"pruned", geometry.pruned.size()},
                            {"untried", untried(plan, geometry)},
                            {"cases", std::move(cases)}});
    }
    fmt::print("{}\n", Json{{"sweep", plan.sweep.name},
                            {"geometries", std::move(geometries)},
                            {"search", plan.sweep.search.text()},
                            {"compilations", expected.compilations},
                            {"launches", expected.launches},
                            {"expected_s", expected.seconds},
                            {"skipped", plan.skipped}}
                           .dump(2));
    return;
  }
  for (const PlannedGeometry& geometry : plan.geometries) {
    fmt::print("{}\n", short_key(geometry.geometry));
    TextTable table({"case's rows", "weight", "bytes moved"},
                    {TextTable::Align::right, TextTable::Align::right, TextTable::Align::right});
    for (std::size_t c = 0; c < geometry.cases.size(); ++c) {
      const PlannedCase& planned = geometry.cases[c];
      const Traffic traffic = traffic_of(planned.which);
      table.add({case_label(geometry, c), fmt::format("{:.3f}", planned.weight),
                 std::to_string(traffic.read_bytes + traffic.write_bytes)});
    }
    fmt::print("{}  {}, {} pruned\n", table.text(kLineWidth),
               counted(static_cast<long long>(geometry.variants.size()), "variant"),
               geometry.pruned.size());
    const std::string search = search_text(plan, geometry);
    fmt::print("{}\n", search.empty() ? "" : wrapped("  " + search, 4));
  }
  fmt::print(
      "{}",
      wrapped(fmt::format("{} x variants = {}, {} to time once each, on {} and {} compile-only",
                          counted(static_cast<long long>(plan.geometries.size()), "geometry"),
                          counted(expected.compilations, "compilation"),
                          counted(expected.launches, "launch"), plan.target.name,
                          counted(static_cast<long long>(plan.compile_only.size()), "target")),
              2));
  fmt::print("expected time with an empty store: about {}\n", duration_text(expected.seconds));
  for (const std::string& skipped : plan.skipped)
    fmt::print("{}", wrapped("skipped " + skipped, 2));
}

/// That of the device; a dry run asks for none.
Target target_of(const Sweep& sweep, const TuneOptions& options) {
  if (!options.target.empty() && !options.dry_run)
    throw UserError("--target goes with --dry-run: what runs has the target of its --device");
  if (!options.target.empty()) return parse_target(options.target);
  try {
    return target_for(sweep.device);
  } catch (const UserError& error) {
    if (!options.dry_run) throw;
    throw UserError(fmt::format("{}\na dry run needs no device with --target, e.g. --target gfx942",
                                error.what()));
  }
}

/// As it was asked for, so that it goes on with the same.
std::string tune_arguments(const TuneOptions& options) {
  std::string arguments = "tune " + shell_word(options.sweep.string());
  for (const std::string& family : options.families) arguments += " --family " + shell_word(family);
  if (!options.device.empty()) arguments += " --device " + shell_word(options.device);
  if (!options.space.empty()) arguments += " --space " + shell_word(options.space);
  if (options.budget_s > 0) arguments += fmt::format(" --budget-s {}", options.budget_s);
  return arguments;
}

void print_summary(const Plan& plan, const Campaign& campaign, const Aftermath& aftermath,
                   const TuneOptions& options, const GlobalOptions& global) {
  if (global.json) {
    Json document = campaign_json(plan, campaign, global);
    aftermath.add_to(document);
    fmt::print("{}\n", document.dump(2));
    return;
  }
  const Terminal& terminal = global.terminal;
  fmt::print("\n{}\n", wrapped(fmt::format("{}: {} on {} ({} data)", plan.sweep.name,
                                           counted(plan.case_count(), "case"), campaign.device.name,
                                           plan.sweep.measure.data),
                               2));
  if (!campaign.races.races.empty()) fmt::print("{}", winners_text(plan, campaign, terminal));
  fmt::print("{}{}{}", failures_text(campaign, global), remarks_text(plan, campaign),
             work_text(plan, campaign));
  fmt::print("{}", aftermath.text());
  if (plan.target.platform == Platform::host && !campaign.interrupted)
    fmt::print(
        "Times are those of the host device: they rank variants here and say nothing of a GPU.\n");
  if (plan.target.platform == Platform::simulated)
    fmt::print("Times are simulated ($FUSETUNE_SIMULATION): they say nothing of any machine.\n");
  if (campaign.interrupted) {
    fmt::print("\n{}: what was done is kept in {}. Go on with:\n  {}\n",
               terminal.yellow("interrupted"), global.engine.store.string(),
               command_text(global, tune_arguments(options)));
    return;
  }
  if (campaign.files.empty()) {
    fmt::print("\nNo table was written: no case has a winner.\n");
    return;
  }
  fmt::print("\nwritten:\n");
  for (const auto& file : campaign.files) fmt::print("  {}\n", file.string());
  for (const CaseRace& race : campaign.races.races) {
    if (!race.result.outcome.ok()) continue;
    const Case& decided = plan.geometries[race.geometry].cases[race.planned_case].which;
    fmt::print("next:\n  {}\n", command_text(global, fmt::format("explain {} --device {}",
                                                                 shell_word(short_key(decided)),
                                                                 campaign.device.name)));
    break;
  }
}

}  // namespace

ExitCode tune_command(const GlobalOptions& global, const TuneOptions& options) {
  const Sweep sweep = sweep_with_overrides(options);
  const Plan all = make_plan(sweep, Models::load_default(), target_of(sweep, options));
  if (options.dry_run) {
    print_dry_run(all, global);
    return ExitCode::pass;
  }
  RunSession run(global, sweep.name, to_json(all));
  const DeviceProperties device = device_properties(sweep.device);
  SearchedPlan searched = search_plan(all, device, run.session());
  const Plan& plan = searched.plan;
  const Campaign campaign = tune_searched(searched, device, run.session());
  const auto quarantined = quarantine_failures(plan, campaign, global);
  const AuditReport audit = audit_as_asked(options.audit, run.session(), [&](Session& session) {
    return tune_campaign(plan, device, session).interrupted;
  });
  print_summary(plan, campaign, {audit, quarantined}, options, global);
  return worst_of(campaign.exit_code(), audit.exit_code());
}

}  // namespace fusetune
