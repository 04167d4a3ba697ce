#include "harness/tune/proved_variant.hpp"

#include "harness/verify/proof_sums.hpp"

namespace fusetune {

std::string ProvedVariant::modes() const {
  if (cases == 0) return "";
  if (exact_cases == 0) return "fast";
  return exact_cases == cases ? "exact" : "exact and fast";
}

ProvedVariant proved_from_answer(const Json& answer) {
  ProvedVariant proved;
  proved.outcome = {};
  for (const Json& item : answer.at("reports")) {
    const ProofReport report = proof_from_json(item.at("report"));
    ++proved.cases;
    if (report.mode == "exact") ++proved.exact_cases;
    add_checks(proved.checks, report.checks);
    add_outputs(proved.outputs, report.outputs);
    add_texts(proved.left_out, report.skipped);
    if (report.outcome.ok()) continue;
    proved.outcome = report.outcome;
    proved.failed_case = item.at("case").get<std::string>();
    proved.failed_check = report.failed_check;
    proved.mismatches = report.mismatches;
    proved.mismatch_count = report.mismatch_count;
    proved.mismatch_map = report.mismatch_map;
    break;
  }
  if (proved.cases == 0) proved.outcome = {Status::verification_failed, "nothing was compared"};
  if (answer.contains("batch")) {
    const Json& batch = answer.at("batch");
    proved.batch = batch_invariance_from_json(batch.at("found"));
    if (const std::string failed = batch.at("failed"); !failed.empty()) {
      proved.outcome = {status_from_string(failed).value(), batch.at("message")};
      proved.failed_case = batch.at("case");
      proved.failed_check = "launch";
    }
  }
  return proved;
}

Json data_of(const ProvedVariant& proved) {
  Json data{{"cases", proved.cases},
            {"exact_cases", proved.exact_cases},
            {"checks", to_json(proved.checks)},
            {"outputs", to_json(proved.outputs)},
            {"left_out", proved.left_out},
            {"failed_case", proved.failed_case},
            {"failed_check", proved.failed_check},
            {"mismatches", to_json(proved.mismatches)},
            {"mismatch_count", proved.mismatch_count},
            {"mismatch_map", proved.mismatch_map}};
  if (proved.batch) data["batch"] = to_json(*proved.batch);
  return data;
}

ProvedVariant proved_from_record(const StepRecord& step) {
  const Json& data = step.data;
  ProvedVariant proved;
  proved.outcome = {step.status, step.message};
  proved.cases = data.at("cases").get<std::int64_t>();
  proved.exact_cases = data.at("exact_cases").get<std::int64_t>();
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

}  // namespace fusetune
