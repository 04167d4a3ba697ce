#include "harness/tune/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/base/error.hpp"
#include "harness/tune/campaign_run.hpp"
#include "harness/tune/table_stage.hpp"

namespace fusetune {

namespace {

bool is_user_failure(Status status) {
  return status != Status::ok && status != Status::skipped && status != Status::pruned;
}

/// Compilation failures of every target, then proof failures; a variant that did not compile is not
/// listed twice.
std::vector<Failure> failures_of(const Plan& plan, const Campaign& campaign) {
  std::vector<Failure> failures;
  const auto add = [&](std::size_t g, std::size_t v, const Target& target, const Outcome& outcome,
                       std::string case_key) {
    if (!is_user_failure(outcome.status)) return;
    const PlannedGeometry& geometry = plan.geometries[g];
    if (case_key.empty()) case_key = geometry.cases.front().which.key();
    failures.push_back({outcome.status, std::move(case_key),
                        geometry.variants[v].key(*geometry.geometry.family), target.name,
                        outcome.message, target == plan.target ? plan.sweep.device : ""});
  };
  for (const CompiledUnit& unit : campaign.compiled.units) {
    // A compiler that is not installed is said once, not once per variant.
    if (unit.target != plan.target && campaign.compiled.unavailable.count(unit.target.name) != 0)
      continue;
    add(unit.geometry, unit.variant, unit.target, unit.code.outcome, "");
  }
  for (const ProvedVariant& proved : campaign.proofs.variants) {
    const CompiledUnit* unit = campaign.compiled.find(proved.geometry, proved.variant, plan.target);
    if (unit != nullptr && !unit->code.outcome.ok()) continue;
    add(proved.geometry, proved.variant, plan.target, proved.outcome, proved.failed_case);
  }
  for (const CaseRace& race : campaign.races.races) {
    const PlannedGeometry& raced = plan.geometries[race.geometry];
    for (const Disproof& disproof : race.result.disproved)
      failures.push_back({disproof.outcome.status, raced.cases[race.planned_case].which.key(),
                          raced.variants[race.arms[static_cast<std::size_t>(disproof.arm)]].key(
                              *raced.geometry.family),
                          plan.target.name, disproof.outcome.message, plan.sweep.device});
    if (!is_user_failure(race.result.outcome.status)) continue;
    failures.push_back({race.result.outcome.status, raced.cases[race.planned_case].which.key(), "",
                        plan.target.name, race.result.outcome.message, plan.sweep.device});
  }
  return failures;
}

/// Every row of a table is told against a baseline.
void require_baselines(const Plan& plan) {
  for (const PlannedGeometry& planned : plan.geometries) {
    const Family& family = *planned.geometry.family;
    if (family.baseline == family.tuned)
      throw UserError(fmt::format(
          "family {} has no implementation of role baseline, which a table is told against; it may "
          "be the source of {} with `fixed` axes",
          family.name, family.tuned));
  }
}

}  // namespace

ExitCode Campaign::exit_code() const {
  if (interrupted) return ExitCode::interrupted;
  ExitCode worst = ExitCode::pass;
  for (const Failure& failure : failures) worst = worst_of(worst, exit_code_of(failure.status));
  // Nothing compared, or nothing decided, is no success.
  if (compared() == 0 || (raced && !decided())) worst = worst_of(worst, ExitCode::unusable);
  return worst;
}

std::int64_t Campaign::compared() const {
  std::int64_t comparisons = 0;
  for (const CheckCount& check : proofs.checks) comparisons += check.comparisons;
  return comparisons;
}

bool Campaign::decided() const {
  return std::any_of(races.races.begin(), races.races.end(),
                     [](const CaseRace& race) { return race.result.outcome.ok(); });
}

Campaign verify_campaign(const Plan& plan, const DeviceProperties& device, Session& session) {
  // Before minutes of compilation: whether there is anything to prove the variants with.
  const CapturedCases captured(plan);
  Campaign campaign;
  campaign.device = device;
  CampaignWorkers workers(device, session.options);
  CampaignRun(plan, captured, device, session, workers, campaign).run();
  campaign.interrupted = session.stop();
  campaign.failures = failures_of(plan, campaign);
  campaign.space = space_facts(plan, campaign.compiled, device.facts);
  return campaign;
}

Campaign tune_campaign(const Plan& plan, const DeviceProperties& device, Session& session,
                       std::unique_ptr<CampaignWorkers> workers) {
  require_baselines(plan);
  // Where tables cannot be written or read must be seen before hours of work; the latter must not
  // be overwritten after them.
  require_writable_results(device, session.options.results);
  const Tables present = present_tables(plan, device, session.options.results);
  const CapturedCases captured(plan);
  Campaign campaign;
  campaign.device = device;
  campaign.raced = true;
  if (workers == nullptr) workers = std::make_unique<CampaignWorkers>(device, session.options);
  CampaignRun(plan, captured, device, session, *workers, campaign).run(incumbents_of(present));
  workers.reset();  // what they keep in memory is needed for the references of finalists
  campaign.interrupted = session.stop();
  if (!campaign.interrupted) {
    prove_large_finalists(plan, campaign, session);
    campaign.interrupted = session.stop();
  }
  campaign.failures = failures_of(plan, campaign);
  campaign.space = space_facts(plan, campaign.compiled, device.facts);
  if (!campaign.interrupted && campaign.decided()) {
    campaign.tables = tables_of(plan, campaign, present);
    for (const Table& table : campaign.tables)
      for (std::filesystem::path& file : write_table(table, session.options.results))
        campaign.files.push_back(std::move(file));
  }
  return campaign;
}

std::string repro_command(const Failure& failure) {
  const Platform platform = parse_target(failure.target).platform;
  const bool is_gpu_target = platform == Platform::amd || platform == Platform::nvidia;
  if (failure.device.empty() && is_gpu_target)
    return fmt::format("fusetune inspect --case '{}' --variant '{}' --target {}", failure.case_key,
                       failure.variant_key, failure.target);
  std::string command = fmt::format("fusetune verify '{}'", failure.case_key);
  if (!failure.variant_key.empty()) command += fmt::format(" --variant '{}'", failure.variant_key);
  return command + fmt::format(" --device {} --retry-failed",
                               is_gpu_target ? failure.device : failure.target);
}

}  // namespace fusetune
