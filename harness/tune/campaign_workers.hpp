#pragma once
// The processes of a campaign. One on a GPU opens its driver first: campaigns that follow each
// other, as the rounds of a search and the race behind them do, share theirs.

#include "harness/tune/session.hpp"

namespace fusetune {

struct CampaignWorkers {
  CampaignWorkers(const DeviceProperties& served, const EngineOptions& options)
      : compilers(compile_workers(options)), device(device_workers(served, options)) {}

  WorkerPool compilers;
  WorkerPool device;
};

}  // namespace fusetune
