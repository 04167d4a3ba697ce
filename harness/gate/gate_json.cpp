#include "harness/gate/gate_json.hpp"

#include <map>
#include <string>

#include "harness/gate/finding_text.hpp"

namespace fusetune {

namespace {

Json interval_json(const std::optional<Interval>& ratio) {
  if (!ratio) return nullptr;
  return {{"low", ratio->low}, {"estimate", ratio->mid}, {"high", ratio->high}};
}

Json finding_json(const Finding& finding, const GateRules& rules) {
  Json chain = Json::array();
  for (const std::string& step : finding.chain) chain.push_back(clean_text(step));
  Json numbers = Json::object();
  for (const auto& [name, value] : finding.numbers) numbers[clean_text(name)] = value;
  Json json{{"rule", clean_text(finding.rule)},
            {"case", clean_text(finding.case_key)},
            {"family", clean_text(finding.family)},
            {"target", clean_text(finding.target)},
            {"variant", clean_text(finding.variant)},
            {"verdict", to_string(finding.verdict)},
            {"fails", fails(finding, rules)},
            {"reason", clean_text(finding.reason)},
            {"ratio", interval_json(finding.ratio)},
            {"detectable_percent", nullptr},
            {"numbers", std::move(numbers)},
            {"chain", std::move(chain)},
            {"place",
             {{"file", clean_text(finding.place.file)},
              {"line", finding.place.line},
              {"column", finding.place.column}}},
            {"reproduce", clean_text(finding.reproduce)},
            {"group", clean_text(finding.group)},
            {"seconds", finding.seconds},
            {"fingerprint", fingerprint_of(finding)}};
  if (finding.detectable_percent) json["detectable_percent"] = *finding.detectable_percent;
  return json;
}

}  // namespace

Json gate_json(const GateReport& report, const GateRules& rules) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings) findings.push_back(finding_json(finding, rules));
  Json suites = Json::array();
  for (const SuiteFinding& suite : report.suites)
    suites.push_back({{"group", clean_text(suite.group)},
                      {"verdict", to_string(suite.verdict)},
                      {"ratio", interval_json(suite.ratio)},
                      {"cases", suite.cases},
                      {"reason", clean_text(suite.reason)}});
  std::map<std::string, std::int64_t> counts;
  for (const Finding& finding : report.findings) ++counts[std::string(to_string(finding.verdict))];
  return {{"schema", "fusetune.gate"},
          {"schema_version", kGateSchemaVersion},
          {"name", clean_text(report.name)},
          {"session", report.session},
          {"rules", {{"strict", rules.strict}, {"require_baseline", rules.require_baseline}}},
          {"exit_code", static_cast<int>(exit_code_of(report, rules))},
          {"outcome", outcome_text(report, rules)},
          {"compared", report.compared},
          {"expected", report.expected},
          {"interrupted", report.interrupted},
          {"counts", counts},
          {"findings", std::move(findings)},
          {"suites", std::move(suites)}};
}

}  // namespace fusetune
