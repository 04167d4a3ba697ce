#include "harness/store/row_checksum.hpp"

#include <fmt/format.h>

#include "harness/base/hash.hpp"

namespace fusetune {

std::string stored_text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string row_checksum(const StepRecord& step, const std::string& status,
                         const std::string& data_text) {
  return hash_hex({"step", to_string(step.kind), step.key, step.subject, status, step.message,
                   data_text, fmt::format("{}", step.wall_ms), std::to_string(step.run),
                   step.finished});
}

std::string row_checksum(const CampaignRecord& campaign, const std::string& plan_text) {
  return hash_hex({"campaign", campaign.key, campaign.name, plan_text, campaign.created});
}

std::string row_checksum(const RunRecord& run) {
  return hash_hex({"run", run.uid, run.campaign, std::to_string(run.pid), run.harness_version,
                   run.started, run.ended, run.how});
}

std::string row_checksum(const WorkerDeath& death) {
  return hash_hex({"death", death.role, std::to_string(death.pid), death.how,
                   std::to_string(death.signal), std::to_string(death.exit_code), death.subject,
                   death.last_output, std::to_string(death.run), death.at});
}

}  // namespace fusetune
