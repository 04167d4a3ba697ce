#include "harness/tune/campaign_run.hpp"

namespace fusetune {

CampaignRun::CampaignRun(const Plan& plan, const CapturedCases& captured,
                         const DeviceProperties& device, Session& session, CampaignWorkers& workers,
                         Campaign& campaign)
    : plan_(plan),
      device_(device),
      session_(session),
      campaign_(campaign),
      workers_(workers),
      compile_(plan, session, workers.compilers, campaign.compiled, true,
               [this](std::size_t unit) { compiled(unit); }),
      prove_(plan, campaign.compiled, device, true, session, workers.device, campaign.proofs,
             proof_tasks(plan, captured, campaign.compiled, session.options, device.facts),
             [this](std::size_t task) { proved(task); }),
      trace_(plan, campaign.compiled, device, session, workers.device, campaign.traffic,
             [this](const CompiledUnit& unit) { settle(unit.geometry); }),
      race_(plan, campaign.compiled, campaign.proofs, campaign.traffic, device, session,
            workers.device, campaign.races) {
  count_steps();
}

void CampaignRun::count_steps() {
  open_.resize(plan_.geometries.size());
  std::size_t tasks = 0;
  for (const CompiledUnit& unit : campaign_.compiled.units) {
    const bool own = unit.target == plan_.target;
    task_of_.push_back(own ? tasks++ : 0);
    // Rules are held against what all targets tell of the code.
    if (own || !plan_.geometries[unit.geometry].require.empty()) ++open_[unit.geometry];
  }
}

void CampaignRun::run(const Incumbents& incumbents) {
  compile_.begin();
  prove_.begin();
  if (campaign_.raced) {
    trace_.begin();
    race_.begin();
    for (std::size_t g = 0; g < open_.size(); ++g)
      if (open_[g] == 0) race_.start(g);
  }
  compile_.start();
  // What is ready is proved before more is compiled.
  run_pools(
      {&workers_.device, &workers_.compilers},
      is_timed_on_host(device_) ? job_count(session_.options) : 0,
      [this] { return session_.stop() || compile_.broken(); },
      [this] { session_.progress.tick(); });
  compile_.finish();
  prove_.finish();
  if (!campaign_.raced) return;
  trace_.finish();
  race_.finish(incumbents);
}

void CampaignRun::compiled(std::size_t unit) {
  const CompiledUnit& what = campaign_.compiled.units[unit];
  if (what.target == plan_.target)
    prove_.start(task_of_[unit]);
  else if (!plan_.geometries[what.geometry].require.empty())
    settle(what.geometry);
}

void CampaignRun::proved(std::size_t task) {
  if (!campaign_.raced) return;
  const ProvedVariant& proved = campaign_.proofs.variants[task];
  trace_.start(*campaign_.compiled.find(proved.geometry, proved.variant, plan_.target),
               proved.outcome.ok());
}

void CampaignRun::settle(std::size_t geometry) {
  if (!campaign_.raced || --open_[geometry] > 0) return;
  apply_requirements(plan_, geometry, campaign_.compiled, campaign_.traffic, campaign_.proofs,
                     campaign_.requirements);
  race_.start(geometry);
}

}  // namespace fusetune
