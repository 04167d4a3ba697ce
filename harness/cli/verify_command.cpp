#include <fmt/format.h>

#include <filesystem>

#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/summary.hpp"

namespace fusetune {

namespace {

bool is_sweep_file(const std::string& what) {
  return what.find('(') == std::string::npos && what.find(".yaml") != std::string::npos;
}

Plan plan_for(const VerifyOptions& options, const std::string& device) {
  if (is_sweep_file(options.what)) {
    Sweep sweep = load_sweep(options.what);
    sweep.device = device;
    sweep.also_compile.clear();
    Plan plan = make_plan(sweep, Models::load_default(), target_of_device(device));
    if (!options.selection.variant.empty()) keep_variant(plan, options.selection.variant);
    return plan;
  }
  if (options.what.find('(') != std::string::npos)
    return plan_of_case(parse_case_key(options.what), options.selection, device);
  Plan plan = make_plan(sweep_of_selection(options.what, options.selection, device),
                        Models::load_default(), target_of_device(device));
  if (!options.selection.variant.empty()) keep_variant(plan, options.selection.variant);
  return plan;
}

/// Per geometry: variants, proofs, bytes compared exactly.
std::string geometries_text(const Plan& plan, const Campaign& campaign) {
  std::string out;
  for (std::size_t g = 0; g < plan.geometries.size(); ++g) {
    std::int64_t variants = 0;
    std::int64_t proved = 0;
    std::int64_t runs = 0;
    std::int64_t elements = 0;
    for (const ProvedVariant& variant : campaign.proofs.variants) {
      if (variant.geometry != g) continue;
      ++variants;
      if (variant.outcome.ok()) ++proved;
      runs += variant.cases;
      for (const CheckCount& check : variant.checks)
        if (check.name == "exact") elements += check.comparisons;
    }
    out += fmt::format("{}\n  {} of {} proved, {}, {} elements equal\n",
                       plan.geometries[g].geometry.key(), proved, counted(variants, "variant"),
                       counted(runs, "run"), elements);
  }
  return out;
}

void print_mismatches(const Campaign& campaign) {
  for (const ProvedVariant& variant : campaign.proofs.variants) {
    if (variant.mismatches.empty()) continue;
    fmt::print("{} in {}, the first:\n", counted(variant.mismatch_count, "mismatch"),
               variant.failed_case);
    for (const Mismatch& mismatch : variant.mismatches)
      fmt::print("  {}[{}]: {}\n", mismatch.tensor, mismatch.index, mismatch.text);
    return;
  }
}

}  // namespace

ExitCode verify_command(const GlobalOptions& global, const VerifyOptions& options) {
  const std::vector<std::string> devices =
      options.devices.empty() ? std::vector<std::string>{"host-w64"} : options.devices;
  ExitCode worst = ExitCode::pass;
  Json documents = Json::array();
  for (const std::string& device_name : devices) {
    const Plan plan = plan_for(options, device_name);
    RunSession run(global, "verify " + options.what);
    const DeviceProperties device = device_properties(device_name);
    const Campaign campaign = verify_campaign(plan, device, run.session());
    if (global.json) {
      documents.push_back(campaign_json(plan, campaign));
    } else {
      fmt::print("{}\n", geometries_text(plan, campaign));
      fmt::print("{}", failures_text(campaign, global.terminal));
      print_mismatches(campaign);
      fmt::print("{}{}", remarks_text(plan, campaign), work_text(plan, campaign));
      if (campaign.interrupted) fmt::print("interrupted: what was done is kept\n");
      if (campaign.failures.empty() && !campaign.interrupted)
        fmt::print("{}: all variants proved on {}\n\n", global.terminal.green("ok"),
                   plan.target.name);
    }
    if (worst == ExitCode::pass) worst = campaign.exit_code();
    if (campaign.interrupted) break;
  }
  if (global.json) fmt::print("{}\n", documents.dump(2));
  return worst;
}

}  // namespace fusetune
