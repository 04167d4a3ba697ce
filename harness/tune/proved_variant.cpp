#include "harness/tune/proved_variant.hpp"

#include "harness/verify/proof_sums.hpp"

namespace fusetune {

std::string ProvedVariant::modes() const {
  if (cases == 0) return "";
  if (exact_cases == 0) return "fast";
  return exact_cases == cases ? "exact" : "exact and fast";
}

void ProofSum::add(const std::string& case_key, const ProofReport& report) {
  ++proved_.cases;
  if (report.mode == "exact") ++proved_.exact_cases;
  add_checks(proved_.checks, report.checks);
  add_outputs(proved_.outputs, report.outputs);
  add_texts(proved_.left_out, report.skipped);
  if (report.outcome.ok()) return;
  proved_.outcome = report.outcome;
  proved_.failed_case = case_key;
  proved_.failed_check = report.failed_check;
  proved_.mismatches = report.mismatches;
  proved_.mismatch_count = report.mismatch_count;
  proved_.mismatch_map = report.mismatch_map;
}

void ProofSum::add_batches(const std::string& case_key, const Outcome& outcome,
                           const BatchInvariance& found) {
  proved_.batch = found;
  if (outcome.ok()) return;
  proved_.outcome = outcome;
  proved_.failed_case = case_key;
  proved_.failed_check = "launch";
}

ProvedVariant ProofSum::take() {
  if (proved_.cases == 0) proved_.outcome = {Status::verification_failed, "nothing was compared"};
  return std::move(proved_);
}

Json data_of(const ProvedVariant& proved) {
  Json outputs = Json::array();
  for (const OutputMetrics& output : proved.outputs) outputs.push_back(to_record(output));
  Json data{{"cases", proved.cases},
            {"exact_cases", proved.exact_cases},
            {"checks", to_json(proved.checks)},
            {"outputs", std::move(outputs)},
            {"left_out", proved.left_out},
            {"failed_case", proved.failed_case},
            {"failed_check", proved.failed_check},
            {"mismatches", to_json(proved.mismatches)},
            {"mismatch_count", proved.mismatch_count},
            {"mismatch_map", proved.mismatch_map}};
  if (proved.batch) data["batch"] = to_json(*proved.batch);
  return data;
}

namespace {

ProvedVariant proved_from_data(const Json& data, Outcome outcome) {
  ProvedVariant proved;
  proved.outcome = std::move(outcome);
  proved.cases = data.at("cases").get<std::int64_t>();
  proved.exact_cases = data.at("exact_cases").get<std::int64_t>();
  proved.checks.reserve(data.at("checks").size());
  proved.outputs.reserve(data.at("outputs").size());
  for (const Json& check : data.at("checks")) proved.checks.push_back(check_count_from_json(check));
  for (const Json& output : data.at("outputs"))
    proved.outputs.push_back(output_metrics_from_json(output));
  proved.left_out = data.at("left_out").get<std::vector<std::string>>();
  proved.failed_case = data.at("failed_case").get<std::string>();
  proved.failed_check = data.at("failed_check").get<std::string>();
  for (const Json& mismatch : data.at("mismatches"))
    proved.mismatches.push_back(mismatch_from_json(mismatch));
  proved.mismatch_count = data.at("mismatch_count").get<std::int64_t>();
  proved.mismatch_map = data.at("mismatch_map").get<std::string>();
  if (data.contains("batch")) proved.batch = batch_invariance_from_json(data.at("batch"));
  return proved;
}

}  // namespace

ProvedVariant proved_from_record(const StepRecord& step) {
  return proved_from_data(step.data, {step.status, step.message});
}

Json answer_of(const ProvedVariant& proved) {
  return {{"status", std::string(to_string(proved.outcome.status))},
          {"message", proved.outcome.message},
          {"proved", data_of(proved)}};
}

ProvedVariant proved_from_answer(const Json& answer) {
  return proved_from_data(answer.at("proved"),
                          {status_from_string(answer.at("status").get<std::string>()).value(),
                           answer.at("message").get<std::string>()});
}

}  // namespace fusetune
