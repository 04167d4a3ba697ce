#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "harness/base/error.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/summary.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/stats/stats.hpp"

namespace fusetune {

namespace {

/// Milliseconds per step where no earlier run says better (docs/benchmarks.md).
constexpr double kHostCompileMs = 90;
constexpr double kAmdCompileMs = 200;
constexpr double kProofMs = 60;

Sweep sweep_with_overrides(const TuneOptions& options) {
  Sweep sweep = load_sweep(options.sweep);
  if (!options.device.empty()) sweep.device = options.device;
  if (!options.space.empty()) {
    sweep.space = parse_space(options.space);
    for (SweepEntry& entry : sweep.entries) entry.space.reset();
  }
  if (options.budget_s > 0) sweep.measure.budget_s = options.budget_s;
  return sweep;
}

std::int64_t launched_variants(const PlannedGeometry& geometry) {
  return std::count_if(geometry.variants.begin(), geometry.variants.end(), [&](const Variant& v) {
    return !geometry.geometry.family->find_implementation(v.implementation)->launches.empty();
  });
}

struct Expected {
  std::int64_t compilations = 0;
  std::int64_t launches = 0;  ///< of the proofs' cases, each run once
  double seconds = 0;
};

Expected expect(const Plan& plan, int jobs) {
  Expected expected;
  double work_ms = 0;
  for (const PlannedGeometry& geometry : plan.geometries) {
    const std::int64_t variants = launched_variants(geometry);
    expected.compilations += variants * static_cast<std::int64_t>(1 + plan.compile_only.size());
    work_ms += static_cast<double>(variants) * (kHostCompileMs + kProofMs);
    for (const Target& target : plan.compile_only)
      work_ms += static_cast<double>(variants) *
                 (target.platform == Platform::host ? kHostCompileMs : kAmdCompileMs);
    for (const Variant& variant : geometry.variants)
      for (const PlannedCase& planned : geometry.cases)
        expected.launches += static_cast<std::int64_t>(
            launches_of(planned.which, variant, plan.target, DeviceFacts{}).size());
  }
  expected.seconds = work_ms / 1000 / jobs + plan.sweep.measure.budget_s;
  return expected;
}

void print_dry_run(const Plan& plan, const GlobalOptions& global) {
  const Expected expected = expect(plan, job_count(global.engine));
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
                            {"cases", std::move(cases)}});
    }
    fmt::print("{}\n", Json{{"sweep", plan.sweep.name},
                            {"geometries", std::move(geometries)},
                            {"compilations", expected.compilations},
                            {"launches", expected.launches},
                            {"expected_s", expected.seconds},
                            {"skipped", plan.skipped}}
                           .dump(2));
    return;
  }
  for (const PlannedGeometry& geometry : plan.geometries) {
    fmt::print("{}\n", geometry.geometry.key());
    TextTable table({"case's rows", "weight", "bytes moved"},
                    {TextTable::Align::right, TextTable::Align::right, TextTable::Align::right});
    for (const PlannedCase& planned : geometry.cases) {
      const Traffic traffic = traffic_of(planned.which);
      table.add({std::to_string(planned.which.rows()), fmt::format("{:.3f}", planned.weight),
                 std::to_string(traffic.read_bytes + traffic.write_bytes)});
    }
    fmt::print("{}  {}, {} pruned\n\n", table.text(kLineWidth),
               counted(static_cast<long long>(geometry.variants.size()), "variant"),
               geometry.pruned.size());
  }
  fmt::print("{} x variants = {}, {} to time once each, on {} and {} compile-only\n",
             counted(static_cast<long long>(plan.geometries.size()), "geometry"),
             counted(expected.compilations, "compilation"), counted(expected.launches, "launch"),
             plan.target.name, counted(static_cast<long long>(plan.compile_only.size()), "target"));
  fmt::print("expected time with an empty store: about {}\n", duration_text(expected.seconds));
  for (const std::string& skipped : plan.skipped) fmt::print("skipped {}\n", skipped);
}

void print_summary(const Plan& plan, const Campaign& campaign, const TuneOptions& options,
                   const GlobalOptions& global) {
  if (global.json) {
    fmt::print("{}\n", campaign_json(plan, campaign).dump(2));
    return;
  }
  const Terminal& terminal = global.terminal;
  fmt::print("\n{}: {} on {} ({} data)\n\n", plan.sweep.name, counted(plan.case_count(), "case"),
             campaign.device.name, plan.sweep.measure.data);
  if (!campaign.races.races.empty()) fmt::print("{}", winners_text(plan, campaign, terminal));
  fmt::print("{}{}{}", failures_text(campaign, terminal), remarks_text(plan, campaign),
             work_text(plan, campaign));
  if (plan.target.platform == Platform::host && !campaign.interrupted)
    fmt::print(
        "Times are those of the host device: they rank variants here and say nothing of a GPU.\n");
  if (campaign.interrupted) {
    fmt::print("\n{}: what was done is kept in {}. Go on with:\n  fusetune tune {}\n",
               terminal.yellow("interrupted"), global.engine.store.string(),
               options.sweep.string());
    return;
  }
  if (campaign.files.empty()) {
    fmt::print("\nNo table was written: no case has a winner.\n");
    return;
  }
  fmt::print("\nwritten:\n");
  for (const auto& file : campaign.files) fmt::print("  {}\n", file.string());
  const PlannedGeometry& first = plan.geometries.front();
  fmt::print("next:\n  fusetune explain '{}' --device {}\n", first.cases.front().which.key(),
             campaign.device.name);
}

}  // namespace

ExitCode tune_command(const GlobalOptions& global, const TuneOptions& options) {
  const Sweep sweep = sweep_with_overrides(options);
  const Plan plan = make_plan(sweep, Models::load_default(), target_of_device(sweep.device));
  if (options.dry_run) {
    print_dry_run(plan, global);
    return ExitCode::pass;
  }
  RunSession run(global, sweep.name);
  const DeviceProperties device = device_properties(sweep.device);
  const Campaign campaign = tune_campaign(plan, device, run.session());
  print_summary(plan, campaign, options, global);
  return campaign.exit_code();
}

}  // namespace fusetune
