#include <cmath>
#include <limits>
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

/// JSON has no infinities and no NaN, and metrics that failed are both.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_from(const Json& json) {
  if (json.is_number()) return json.get<double>();
  const auto text = json.get<std::string>();
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text != "inf" && text != "-inf")
    throw std::runtime_error("a proof record with the number '" + text + "'");
  return (text == "inf" ? 1 : -1) * std::numeric_limits<double>::infinity();
}

}  // namespace

Json to_json(const CheckCount& check) {
  return {{"name", check.name}, {"comparisons", check.comparisons}, {"unit", check.unit}};
}

CheckCount check_count_from_json(const Json& json) {
  return {json.at("name"), json.at("comparisons"), json.at("unit")};
}

Json to_json(const Mismatch& mismatch) {
  return {{"tensor", mismatch.tensor}, {"index", mismatch.index}, {"text", mismatch.text}};
}

Mismatch mismatch_from_json(const Json& json) {
  return {json.at("tensor"), json.at("index"), json.at("text")};
}

namespace {

/// What both forms say.
Json named(const OutputMetrics& output) {
  return {{"tensor", output.tensor}, {"rule", output.rule}, {"elements", output.elements}};
}

/// Told of each other field: its name and its place in a metrics object.
template <typename Metrics, typename Told>
void for_each_figure(Metrics& output, const Told& told) {
  told("abs_error_max", output.abs_error_max);
  told("rel_error_max", output.rel_error_max);
  told("ulp_max", output.ulp_max);
  told("relative_l2", output.relative_l2);
  told("cosine", output.cosine);
  told("norm_ratio", output.norm_ratio);
  told("baseline_elements", output.baseline_elements);
  told("baseline_cosine", output.baseline_cosine);
  told("baseline_norm_ratio", output.baseline_norm_ratio);
  told("share_of_limit_max", output.share_of_limit_max);
  told("codes_off", output.codes_off);
  told("worst_index", output.worst_index);
  told("worst", output.worst);
}

Json figure(double value) { return number(value); }
Json figure(std::int64_t value) { return value; }
Json figure(const std::string& value) { return value; }
void read_figure(const Json& json, double& value) { value = number_from(json); }
void read_figure(const Json& json, std::int64_t& value) { json.get_to(value); }
void read_figure(const Json& json, std::string& value) { json.get_to(value); }

}  // namespace

Json to_json(const OutputMetrics& output) {
  Json json = named(output);
  for_each_figure(output, [&](const char* name, const auto& value) { json[name] = figure(value); });
  return json;
}

Json to_record(const OutputMetrics& output) {
  static const Json usual = to_json(OutputMetrics{});
  Json json = named(output);
  for_each_figure(output, [&](const char* name, const auto& value) {
    if (Json text = figure(value); text != usual.at(name)) json[name] = std::move(text);
  });
  return json;
}

OutputMetrics output_metrics_from_json(const Json& json) {
  OutputMetrics output;
  output.tensor = json.at("tensor");
  output.rule = json.at("rule");
  output.elements = json.at("elements");
  for_each_figure(output, [&](const char* name, auto& value) {
    if (const auto found = json.find(name); found != json.end()) read_figure(*found, value);
  });
  return output;
}

Json to_json(const ProofReport& report) {
  return {{"status", to_string(report.outcome.status)},
          {"message", report.outcome.message},
          {"failed_check", report.failed_check},
          {"checks", to_json(report.checks)},
          {"mismatch_count", report.mismatch_count},
          {"mismatches", to_json(report.mismatches)},
          {"passes", report.passes},
          {"launches", report.launches},
          {"seed", report.seed},
          {"target", report.target},
          {"mode", report.mode},
          {"outputs", to_json(report.outputs)},
          {"skipped", report.skipped},
          {"mismatch_map", report.mismatch_map},
          {"wall_ms", report.wall_ms}};
}

ProofReport proof_from_json(const Json& json) {
  ProofReport report;
  report.outcome = {status_of(json.at("status")), json.at("message")};
  report.failed_check = json.at("failed_check");
  for (const Json& check : json.at("checks")) report.checks.push_back(check_count_from_json(check));
  report.mismatch_count = json.at("mismatch_count");
  for (const Json& mismatch : json.at("mismatches"))
    report.mismatches.push_back(mismatch_from_json(mismatch));
  report.passes = json.at("passes");
  report.launches = json.at("launches");
  report.seed = json.at("seed");
  report.target = json.at("target");
  report.mode = json.at("mode");
  for (const Json& output : json.at("outputs"))
    report.outputs.push_back(output_metrics_from_json(output));
  report.skipped = json.at("skipped").get<std::vector<std::string>>();
  report.mismatch_map = json.at("mismatch_map");
  report.wall_ms = json.at("wall_ms");
  return report;
}

}  // namespace fusetune
