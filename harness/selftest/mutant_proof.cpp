#include "harness/selftest/mutant_proof.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/selftest/mutated_device.hpp"
#include "harness/selftest/planted_race.hpp"
#include "harness/tune/batch_cases.hpp"
#include "harness/verify/batch_check.hpp"
#include "harness/verify/findings.hpp"
#include "harness/verify/proof.hpp"

namespace fusetune {

namespace {

std::vector<InputArgument> inputs_of(const Launch& launch, const Case& which) {
  std::vector<InputArgument> inputs;
  for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
    const Argument& argument = launch.arguments[i];
    if (argument.kind != Argument::Kind::tensor) continue;
    const TensorDecl* tensor = which.geometry.family->find_tensor(argument.name);
    if (tensor->role == Role::in)
      inputs.push_back({i, static_cast<std::size_t>(shape_of(which, *tensor).span_bytes())});
  }
  return inputs;
}

LaunchFacts facts_of(const std::vector<Launch>& launches, const Case& which,
                     const LaunchChange& change) {
  LaunchFacts facts;
  for (const Launch& launch : launches) {
    facts.inputs[launch.entry] = inputs_of(launch, which);
    if (change.add == 0 || (!change.entry.empty() && launch.entry != change.entry)) continue;
    const auto argument = std::find_if(
        launch.arguments.begin(), launch.arguments.end(),
        [&change](const Argument& candidate) { return candidate.name == change.argument; });
    if (argument == launch.arguments.end())
      throw UserError(fmt::format("{} has no argument '{}'", launch.entry, change.argument));
    facts.additions[launch.entry] = {static_cast<std::size_t>(argument - launch.arguments.begin()),
                                     change.add};
  }
  return facts;
}

std::set<Status> statuses_in(const std::set<std::string>& names) {
  std::set<Status> statuses;
  for (const std::string& name : names)
    if (const auto status = status_from_string(name)) statuses.insert(*status);
  return statuses;
}

/// Concludes the report of a proof that passed.
void check_batches(Device& device, const LoadedCode& code, const Json& request,
                   const LaunchChange& change, const std::set<std::string>& off,
                   ProofReport* report) {
  const DeviceProperties& properties = device.properties();
  const Variant variant = variant_from_json(request.at("variant"));
  PlannedGeometry planned;
  planned.cases.push_back({case_from_json(request.at("case"))});
  planned.geometry = planned.cases.front().which.geometry;
  const BatchCases cases = batch_cases(planned, variant, properties.target, EngineOptions{});
  const VariantAt at = [&](const Case& which) {
    RunnableVariant runnable{&code,
                             launches_of(which, variant, properties.target, properties.facts)};
    apply(change, runnable.launches);
    return runnable;
  };
  BatchInvariance found;
  Findings findings(off);
  const Outcome outcome = check_batches(device, at, cases.batch, cases.row_counts,
                                        request.at("seed").get<std::uint64_t>(), &found);
  findings.count(Check::batch_invariance, found.bytes, "bytes");
  if (!outcome.ok()) findings.add(Check::launch, outcome.status, {"", 0, outcome.message});
  if (!found.difference.empty())
    findings.add(Check::batch_invariance, Status::verification_failed, {"", 0, found.difference});
  if (!findings.any()) return;
  findings.conclude(report);
}

}  // namespace

Json handle_mutant_request(Device& device, const Json& request, ProofAids& aids) {
  if (request.contains("plant")) return handle_planted_race(device, request, aids);
  const Case which = case_from_json(request.at("case"));
  Outcome outcome;
  const std::unique_ptr<LoadedCode> code =
      device.load(request.at("code").get<std::string>(), &outcome);
  ProofReport report;
  if (!code) {
    report.outcome = outcome;
    report.failed_check = "launch";
    return Json{{"report", to_json(report)}, {"retire", false}};
  }
  const LaunchChange change = launch_change_from_json(request.at("launch"));
  RunnableVariant runnable;
  runnable.code = code.get();
  runnable.launches = launches_of(which, variant_from_json(request.at("variant")),
                                  device.properties().target, device.properties().facts);
  LaunchFacts facts = facts_of(runnable.launches, which, change);
  apply(change, runnable.launches);
  const DeviceChange device_change = device_change_from_json(request.at("device_change"));
  MutatedDevice mutated(device, device_change, std::move(facts));
  ProofOptions options;
  options.seed = request.at("seed").get<std::uint64_t>();
  options.cache = &aids.cache;
  // What a bug of the device does, an exchange with the true device would not see.
  if (device_change.kind == DeviceChange::Kind::none) options.exchange = aids.exchange.get();
  const auto off = request.at("off").get<std::set<std::string>>();
  // What the device cannot overlook, such as an unmapped page, ends a launch all the same.
  device.overlook(statuses_in(off));
  std::copy_if(off.begin(), off.end(), std::inserter(options.off, options.off.end()),
               [](const std::string& name) { return !status_from_string(name); });
  report = prove(mutated, runnable, which, options);
  const std::string batches(to_string(Check::batch_invariance));
  if (report.outcome.ok() && request.at("batch_invariant").get<bool>() && off.count(batches) == 0)
    check_batches(mutated, *code, request, change, options.off, &report);
  device.overlook({});
  return Json{{"report", to_json(report)}, {"retire", report.failed_check == "launch"}};
}

ProofReport mutant_report(const JobEnd& end, ProofMode mode) {
  ProofReport report;
  if (end.how != JobEnd::How::answered) {
    const bool late = end.how == JobEnd::How::timed_out;
    report.outcome = {late ? Status::kernel_timeout : Status::worker_lost, end.last_output};
    report.failed_check = "launch";
    return report;
  }
  if (end.answer.contains("error")) {
    // Told by whatever was called next, which need not be a launch.
    const bool lost = end.answer.value("retire", false);
    report.outcome = {lost ? Status::kernel_fault : Status::launch_error,
                      end.answer["error"].get<std::string>()};
    if (lost) report.failed_check = "launch";
    return report;
  }
  report = proof_from_json(end.answer.at("report"));
  // A proof in another mode says nothing of this one.
  if (report.mode != to_string(mode) && !report.mode.empty()) {
    report.outcome = {Status::verification_failed,
                      fmt::format("proved in {} mode instead of {}", report.mode, to_string(mode))};
    report.failed_check.clear();
  }
  return report;
}

}  // namespace fusetune
