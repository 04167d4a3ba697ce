#include "harness/store/records.hpp"

#include <array>
#include <set>
#include <utility>

#include "harness/base/error.hpp"
#include "harness/base/hash.hpp"

namespace fusetune {

namespace {

constexpr std::array<std::pair<StepRecord::Kind, std::string_view>, 5> kStepKinds{{
    {StepRecord::Kind::compile, "compile"},
    {StepRecord::Kind::proof, "proof"},
    {StepRecord::Kind::race, "race"},
    {StepRecord::Kind::traffic, "traffic"},
    {StepRecord::Kind::search, "search"},
}};

}  // namespace

std::string_view to_string(StepRecord::Kind kind) {
  for (const auto& [value, name] : kStepKinds)
    if (value == kind) return name;
  return "?";
}

StepRecord::Kind parse_step_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [value, known] : kStepKinds) {
    if (known == name) return value;
    names.emplace_back(known);
  }
  throw UserError(unknown_name("kind of record", name, names));
}

std::vector<StepRecord::Kind> step_kinds() {
  std::vector<StepRecord::Kind> kinds;
  for (const auto& [value, name] : kStepKinds) kinds.push_back(value);
  return kinds;
}

Json to_json(const StepRecord& step) {
  return {{"kind", std::string(to_string(step.kind))},
          {"key", step.key},
          {"subject", step.subject},
          {"status", std::string(to_string(step.status))},
          {"message", step.message},
          {"data", step.data},
          {"wall_ms", step.wall_ms},
          {"run", step.run},
          {"finished", step.finished}};
}

Json to_json(const RunRecord& run) {
  return {{"run", run.id},      {"uid", run.uid},         {"campaign", run.campaign},
          {"pid", run.pid},     {"started", run.started}, {"harness_version", run.harness_version},
          {"ended", run.ended}, {"how", run.how}};
}

Json to_json(const WorkerDeath& death) {
  return {{"role", death.role},
          {"pid", death.pid},
          {"how", death.how},
          {"signal", death.signal},
          {"exit_code", death.exit_code},
          {"subject", death.subject},
          {"last_output", death.last_output},
          {"run", death.run},
          {"at", death.at}};
}

void add_lost_parents(RecordSet& set) {
  std::set<std::int64_t> runs;
  for (const RunRecord& run : set.runs) runs.insert(run.id);
  const auto need_run = [&](std::int64_t id) {
    if (!runs.insert(id).second) return;
    RunRecord lost;
    lost.id = id;
    lost.uid = hash_hex({"lost run", std::to_string(id)});
    lost.campaign = hash_hex("lost campaign");
    lost.how = "lost";
    set.runs.push_back(std::move(lost));
  };
  for (const StepRecord& step : set.steps) need_run(step.run);
  for (const WorkerDeath& death : set.deaths) need_run(death.run);
  std::set<std::string> campaigns;
  for (const CampaignRecord& campaign : set.campaigns) campaigns.insert(campaign.key);
  for (const RunRecord& run : set.runs)
    if (campaigns.insert(run.campaign).second)
      set.campaigns.push_back({run.campaign, "lost", nullptr, run.started});
}

}  // namespace fusetune
