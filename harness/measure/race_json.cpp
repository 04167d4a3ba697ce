// Race results in the record store. Samples are rows of numbers: there are thousands of them.

#include "harness/measure/race.hpp"

namespace fusetune {

Json to_json(const RaceResult& result) {
  Json samples = Json::array();
  for (const Sample& s : result.samples)
    samples.push_back(Json::array({s.arm, s.epoch, s.round, s.launches, s.us}));
  Json disproved = Json::array();
  for (const Disproof& d : result.disproved)
    disproved.push_back(
        {{"arm", d.arm}, {"status", to_string(d.outcome.status)}, {"message", d.outcome.message}});
  return {{"status", to_string(result.outcome.status)},
          {"disproved", std::move(disproved)},
          {"message", result.outcome.message},
          {"failed_arm", result.failed_arm},
          {"sample_fields", {"arm", "epoch", "round", "launches", "us"}},
          {"samples", std::move(samples)},
          {"dropped", result.dropped},
          {"probe_us", result.probe_us},
          {"ring", result.ring},
          {"ring_over_cache", result.ring_over_cache},
          {"data", result.data},
          {"flags", result.flags},
          {"stopped_by", result.stopped_by}};
}

namespace {

Outcome outcome_of(const Json& json) {
  const auto name = json.at("status").get<std::string>();
  const auto status = status_from_string(name);
  if (!status) throw std::invalid_argument("a race of unknown status " + name);
  return {*status, json.at("message").get<std::string>()};
}

}  // namespace

RaceResult race_from_json(const Json& json) {
  RaceResult result;
  result.outcome = outcome_of(json);
  for (const Json& row : json.at("disproved"))
    result.disproved.push_back({row.at("arm").get<std::int32_t>(), outcome_of(row)});
  result.failed_arm = json.at("failed_arm").get<std::int32_t>();
  for (const Json& row : json.at("samples")) {
    result.samples.push_back({row.at(0).get<std::int32_t>(), row.at(1).get<std::int32_t>(),
                              row.at(2).get<std::int32_t>(), row.at(3).get<std::int64_t>(),
                              row.at(4).get<double>()});
  }
  result.dropped = json.at("dropped").get<std::vector<std::int32_t>>();
  result.probe_us = json.at("probe_us").get<std::vector<double>>();
  result.ring = json.at("ring").get<std::int64_t>();
  result.ring_over_cache = json.at("ring_over_cache").get<double>();
  result.data = json.at("data").get<std::string>();
  result.flags = json.at("flags").get<std::vector<std::string>>();
  result.stopped_by = json.at("stopped_by").get<std::string>();
  return result;
}

Json to_json(const RaceOptions& options) {
  return Json{{"span_us_min", options.span_us_min},
              {"epochs", options.epochs},
              {"rounds", options.rounds},
              {"warm_up_ms", options.warm_up_ms},
              {"probe_cutoff", options.probe_cutoff},
              {"cold", options.cold},
              {"seed", options.seed},
              {"budget_s", options.budget_s},
              {"keep", options.keep},
              {"groups", options.groups}};
}

RaceOptions race_options_from_json(const Json& json) {
  RaceOptions options;
  options.span_us_min = json.at("span_us_min").get<double>();
  options.epochs = json.at("epochs").get<int>();
  options.rounds = json.at("rounds").get<int>();
  options.warm_up_ms = json.at("warm_up_ms").get<double>();
  options.probe_cutoff = json.at("probe_cutoff").get<double>();
  options.cold = json.at("cold").get<bool>();
  options.seed = json.at("seed").get<std::uint64_t>();
  options.budget_s = json.at("budget_s").get<double>();
  options.keep = json.at("keep").get<std::vector<std::int32_t>>();
  options.groups = json.at("groups").get<std::vector<std::int32_t>>();
  return options;
}

}  // namespace fusetune
