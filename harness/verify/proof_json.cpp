#include <stdexcept>

#include "harness/verify/proof.hpp"

namespace fusetune {

namespace {

Status status_of(const Json& json) {
  const auto text = json.get<std::string>();
  const std::optional<Status> status = status_from_string(text);
  if (!status) throw std::runtime_error("a proof record with the unknown status '" + text + "'");
  return *status;
}

}  // namespace

Json to_json(const ProofReport& report) {
  Json checks = Json::array();
  for (const CheckCount& check : report.checks)
    checks.push_back(
        {{"name", check.name}, {"comparisons", check.comparisons}, {"unit", check.unit}});
  Json mismatches = Json::array();
  for (const Mismatch& mismatch : report.mismatches)
    mismatches.push_back(
        {{"tensor", mismatch.tensor}, {"index", mismatch.index}, {"text", mismatch.text}});
  return {{"status", to_string(report.outcome.status)},
          {"message", report.outcome.message},
          {"failed_check", report.failed_check},
          {"checks", checks},
          {"mismatch_count", report.mismatch_count},
          {"mismatches", mismatches},
          {"passes", report.passes},
          {"launches", report.launches},
          {"seed", report.seed},
          {"target", report.target},
          {"mode", report.mode},
          {"wall_ms", report.wall_ms}};
}

ProofReport proof_from_json(const Json& json) {
  ProofReport report;
  report.outcome = {status_of(json.at("status")), json.at("message")};
  report.failed_check = json.at("failed_check");
  for (const Json& check : json.at("checks"))
    report.checks.push_back({check.at("name"), check.at("comparisons"), check.at("unit")});
  report.mismatch_count = json.at("mismatch_count");
  for (const Json& mismatch : json.at("mismatches"))
    report.mismatches.push_back({mismatch.at("tensor"), mismatch.at("index"), mismatch.at("text")});
  report.passes = json.at("passes");
  report.launches = json.at("launches");
  report.seed = json.at("seed");
  report.target = json.at("target");
  report.mode = json.at("mode");
  report.wall_ms = json.at("wall_ms");
  return report;
}

}  // namespace fusetune
