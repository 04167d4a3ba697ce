#pragma once
// The way of a plan through its stages, as events: what is compiled may be proved, what is proved
// may be traced, and when all variants of a geometry have their verdicts its cases are raced. What
// comes out does not depend on the order of the events.

#include <vector>

#include "harness/tune/campaign.hpp"
#include "harness/tune/captured_cases.hpp"

namespace fusetune {

class CampaignRun {
 public:
  /// Compilers have workers of their own beside those of the device. On the host no more jobs run
  /// at a time than `jobs` asks for, and none beside a race.
  CampaignRun(const Plan& plan, const CapturedCases& captured, const DeviceProperties& device,
              Session& session, CampaignWorkers& workers, Campaign& campaign);
  CampaignRun(const CampaignRun&) = delete;
  CampaignRun& operator=(const CampaignRun&) = delete;

  /// Compiles and proves; where `campaign.raced`, traces and races as well. Whatever is not done
  /// when the session is stopped says so in the campaign.
  void run(const Incumbents& incumbents = {});

 private:
  void count_steps();
  void compiled(std::size_t unit);
  void proved(std::size_t task);
  /// One thing less that the races of a geometry wait for.
  void settle(std::size_t geometry);

  const Plan& plan_;
  const DeviceProperties& device_;
  Session& session_;
  Campaign& campaign_;
  CampaignWorkers& workers_;
  CompileStage compile_;
  ProofStage prove_;
  TrafficStage trace_;
  RaceStage race_;
  std::vector<std::size_t> task_of_;  ///< per unit of the device's target
  std::vector<std::size_t> open_;     ///< per geometry
};

}  // namespace fusetune
