#include <fmt/format.h>

#include <filesystem>

#include "harness/cli/aftermath.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/proof_text.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/summary.hpp"
#include "harness/tune/case_plan.hpp"

namespace fusetune {

namespace {

bool is_sweep_file(const std::string& what) {
  return what.find('(') == std::string::npos && what.find(".yaml") != std::string::npos;
}

Plan plan_for(const VerifyOptions& options, const std::string& device) {
  if (is_sweep_file(options.what)) {
    require_no_shapes(options.selection, options.what);
    Sweep sweep = load_sweep(options.what);
    set_space(sweep, options.selection.space);
    sweep.device = device;
    sweep.also_compile.clear();
    Plan plan = make_plan(sweep, Models::load_default(), target_for(device));
    if (!options.selection.variant.empty()) keep_variant(plan, options.selection.variant);
    return plan;
  }
  if (options.what.find('(') != std::string::npos) {
    require_no_shapes(options.selection, options.what);
    return plan_of_case(parse_case_key(options.what), options.selection, device);
  }
  Plan plan = make_plan(sweep_of_selection(options.what, options.selection, device),
                        Models::load_default(), target_for(device));
  if (!options.selection.variant.empty()) keep_variant(plan, options.selection.variant);
  return plan;
}

/// As the options say it.
Plan plan_of(const VerifyOptions& options, const std::string& device) {
  Plan plan = plan_for(options, device);
  if (options.batch_invariant)
    for (PlannedGeometry& planned : plan.geometries) {
      require_independent_rows(planned.geometry, {});
      planned.batch_invariant = true;
    }
  return plan;
}

bool has_rows(const Plan& plan) {
  for (const PlannedGeometry& geometry : plan.geometries)
    for (const PlannedCase& planned : geometry.cases)
      if (planned.which.rows() > 0) return true;
  return false;
}

/// Proofs of empty cases alone compare nothing and are proofs all the same.
bool compared_anything(const Plan& plan, const Campaign& campaign) {
  if (campaign.proofs.cases == 0) return false;
  for (const CheckCount& check : campaign.proofs.checks)
    if (check.comparisons > 0 && (check.name == "exact" || check.name == "values" ||
                                  check.name == "untouched" || check.name == "poison"))
      return true;
  return !has_rows(plan);
}

void print_verdict(const Plan& plan, const Campaign& campaign, const Terminal& terminal) {
  if (campaign.interrupted)
    fmt::print("{}: what was done is kept\n", terminal.yellow("interrupted"));
  else if (!compared_anything(plan, campaign))
    fmt::print("{} on {}\n\n", terminal.red("nothing was compared"), plan.target.name);
  else if (campaign.failures.empty())
    fmt::print("{}: all variants proved on {}\n\n", terminal.green("ok"), plan.target.name);
}

ExitCode exit_code_of_verify(const Plan& plan, const Campaign& campaign) {
  const ExitCode code = campaign.exit_code();
  return compared_anything(plan, campaign) || campaign.interrupted
             ? code
             : worst_of(code, ExitCode::unusable);
}

}  // namespace

ExitCode verify_command(const GlobalOptions& global, const VerifyOptions& options) {
  ExitCode worst = ExitCode::pass;
  Json documents = Json::array();
  for (const std::string& device_name : devices_or_both(options.devices)) {
    const Plan plan = plan_of(options, device_name);
    RunSession run(global, "verify " + options.what, to_json(plan));
    const DeviceProperties device = device_properties(device_name);
    const Campaign campaign = verify_campaign(plan, device, run.session());
    const auto quarantined = quarantine_failures(plan, campaign, global);
    const AuditReport audit = audit_as_asked(options.audit, run.session(), [&](Session& session) {
      return verify_campaign(plan, device, session).interrupted;
    });
    const Aftermath aftermath{audit, quarantined};
    worst = worst_of(worst, audit.exit_code());
    if (global.json) {
      documents.push_back(campaign_json(plan, campaign, global));
      aftermath.add_to(documents.back());
    } else {
      fmt::print("{}\n", geometries_text(plan, campaign));
      fmt::print("{}{}", failures_text(campaign, global), mismatches_text(campaign));
      fmt::print("{}{}{}", left_out_text(campaign), remarks_text(plan, campaign),
                 work_text(plan, campaign));
      fmt::print("{}", aftermath.text());
      print_verdict(plan, campaign, global.terminal);
    }
    worst = worst_of(worst, exit_code_of_verify(plan, campaign));
    if (campaign.interrupted) break;
  }
  if (global.json) fmt::print("{}\n", documents.dump(2));
  return worst;
}

}  // namespace fusetune
