// Race results in the record store. Samples are rows of numbers: there are thousands of them.

#include "harness/measure/race.hpp"

namespace fusetune {

Json to_json(const RaceResult& result) {
  Json samples = Json::array();
  for (const Sample& s : result.samples)
    samples.push_back(Json::array(
        {s.arm, s.epoch, s.round, s.launches, s.us, s.short_us, s.long_us, s.core_mhz}));
  Json eliminated = Json::array();
  for (const Elimination& e : result.eliminated) eliminated.push_back({e.arm, e.epochs});
  Json disproved = Json::array();
  for (const Disproof& d : result.disproved)
    disproved.push_back(
        {{"arm", d.arm}, {"status", to_string(d.outcome.status)}, {"message", d.outcome.message}});
  return {{"status", to_string(result.outcome.status)},
          {"disproved", std::move(disproved)},
          {"message", result.outcome.message},
          {"failed_arm", result.failed_arm},
          {"unsure", result.unsure},
          {"sample_fields",
           {"arm", "epoch", "round", "launches", "us", "short_us", "long_us", "core_mhz"}},
          {"samples", std::move(samples)},
          {"dropped", result.dropped},
          {"probe_us", result.probe_us},
          {"ring", result.ring},
          {"ring_over_cache", result.ring_over_cache},
          {"data", result.data},
          {"flags", result.flags},
          {"stopped_by", result.stopped_by},
          {"path", result.path},
          {"ring_doubled", result.ring_doubled},
          {"eliminated", std::move(eliminated)},
          {"confirmed", result.confirmed},
          {"confirmed_from", result.confirmed_from},
          {"rejected_clocks", result.rejected_clocks},
          {"rejected_throttle", result.rejected_throttle},
          {"repeated_epochs", result.repeated_epochs},
          {"checked_lists", result.checked_lists},
          {"reference_us", result.reference_us},
          {"phases_ms", result.phases_ms}};
}

namespace {

Outcome outcome_of(const Json& json) {
  const auto name = json.at("status").get<std::string>();
  const auto status = status_from_string(name);
  if (!status) throw std::invalid_argument("a race of unknown status " + name);
  return {*status, json.at("message").get<std::string>()};
}

Sample sample_of(const Json& row) {
  Sample sample{row.at(0).get<std::int32_t>(), row.at(1).get<std::int32_t>(),
                row.at(2).get<std::int32_t>(), row.at(3).get<std::int64_t>(),
                row.at(4).get<double>()};
  // Records of earlier versions end here.
  if (row.size() <= 5) return sample;
  sample.short_us = row.at(5).get<double>();
  sample.long_us = row.at(6).get<double>();
  sample.core_mhz = row.at(7).get<double>();
  return sample;
}

}  // namespace

RaceResult race_from_json(const Json& json) {
  RaceResult result;
  result.outcome = outcome_of(json);
  for (const Json& row : json.at("disproved"))
    result.disproved.push_back({row.at("arm").get<std::int32_t>(), outcome_of(row)});
  result.failed_arm = json.at("failed_arm").get<std::int32_t>();
  result.unsure = json.value("unsure", false);
  for (const Json& row : json.at("samples")) result.samples.push_back(sample_of(row));
  result.dropped = json.at("dropped").get<std::vector<std::int32_t>>();
  result.probe_us = json.at("probe_us").get<std::vector<double>>();
  result.ring = json.at("ring").get<std::int64_t>();
  result.ring_over_cache = json.at("ring_over_cache").get<double>();
  result.data = json.at("data").get<std::string>();
  result.flags = json.at("flags").get<std::vector<std::string>>();
  result.stopped_by = json.at("stopped_by").get<std::string>();
  if (!json.contains("path")) return result;  // of an earlier version
  json.at("path").get_to(result.path);
  json.at("ring_doubled").get_to(result.ring_doubled);
  for (const Json& row : json.at("eliminated"))
    result.eliminated.push_back({row.at(0).get<std::int32_t>(), row.at(1).get<std::int32_t>()});
  json.at("confirmed").get_to(result.confirmed);
  json.at("confirmed_from").get_to(result.confirmed_from);
  json.at("rejected_clocks").get_to(result.rejected_clocks);
  json.at("rejected_throttle").get_to(result.rejected_throttle);
  json.at("repeated_epochs").get_to(result.repeated_epochs);
  json.at("reference_us").get_to(result.reference_us);
  result.checked_lists = json.value("checked_lists", std::int64_t{0});
  if (json.contains("phases_ms")) json.at("phases_ms").get_to(result.phases_ms);
  return result;
}

namespace {

// Names and places of the plain numbers, in one list for both directions.

template <typename Rules, typename Visit>
void visit_rules(Rules& rules, const Visit& visit) {
  visit("span_us_min", rules.span_us_min);
  visit("ticks_min", rules.ticks_min);
  visit("two_lengths", rules.two_lengths);
  visit("warm_up_ms", rules.warm_up_ms);
  visit("warm_up_ms_max", rules.warm_up_ms_max);
  visit("looks", rules.looks);
  visit("rounds", rules.rounds);
  visit("finalists", rules.finalists);
  visit("confirm_looks", rules.confirm_looks);
}

template <typename Options, typename Visit>
void visit_numbers(Options& options, const Visit& visit) {
  visit("probe_cutoff", options.probe_cutoff);
  visit("screen_cuts", options.screen_cuts);
  visit("early_cut", options.early_cut);
  visit("far", options.far);
  visit("margin", options.margin);
  visit("precision", options.precision);
  visit("regret_max", options.regret_max);
  visit("alpha", options.alpha);
  visit("graph_below_us", options.graph_below_us);
  visit("single_above_us", options.single_above_us);
  visit("host_ratio_min", options.host_ratio_min);
  visit("host_ratio_max", options.host_ratio_max);
  visit("host_slack_us", options.host_slack_us);
  visit("core_clock_min", options.core_clock_min);
  visit("span_overhead", options.span_overhead);
  visit("retries_max", options.retries_max);
  visit("rest_ms", options.rest_ms);
  visit("reference_drift", options.reference_drift);
  visit("doubling_max", options.doubling_max);
  visit("memory_share", options.memory_share);
  visit("check_lists", options.check_lists);
  visit("check_bytes", options.check_bytes);
  visit("cache_bytes", options.cache_bytes);
  visit("one_by_one", options.one_by_one);
  visit("cold", options.cold);
  visit("seed", options.seed);
  visit("budget_s", options.budget_s);
  visit("ring_bytes_max", options.ring_bytes_max);
  visit("keep", options.keep);
  visit("groups", options.groups);
}

auto into(Json& json) {
  return [&json](const char* name, const auto& value) { json[name] = value; };
}
auto out_of(const Json& json) {
  return [&json](const char* name, auto& value) { json.at(name).get_to(value); };
}

Json to_json(const RaceRules& rules) {
  Json json;
  visit_rules(rules, into(json));
  return json;
}

RaceRules rules_from_json(const Json& json) {
  RaceRules rules;
  visit_rules(rules, out_of(json));
  return rules;
}

}  // namespace

Json to_json(const RaceOptions& options) {
  Json json{{"immediate", to_json(options.immediate)}, {"queued", to_json(options.queued)}};
  visit_numbers(options, into(json));
  return json;
}

RaceOptions race_options_from_json(const Json& json) {
  RaceOptions options;
  options.immediate = rules_from_json(json.at("immediate"));
  options.queued = rules_from_json(json.at("queued"));
  visit_numbers(options, out_of(json));
  return options;
}

}  // namespace fusetune
