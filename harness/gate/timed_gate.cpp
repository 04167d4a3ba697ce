#include "harness/gate/timed_gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/device/device_json.hpp"
#include "harness/gate/candidates.hpp"
#include "harness/gate/contest.hpp"
#include "harness/gate/gate_plan.hpp"
#include "harness/gate/null_test.hpp"
#include "harness/tune/calibration_stage.hpp"
#include "harness/tune/table_stage.hpp"

namespace fusetune {

namespace {

BaselineFile baseline_or_none(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error) ? read_baseline(file) : BaselineFile();
}

void require_known_families(const TimedGateRequest& request) {
  std::vector<std::string> names;
  for (const PlannedGeometry& planned : request.plan.geometries)
    names.push_back(planned.geometry.family->name);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& [name, delta] : request.family_delta)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UserError(unknown_name("family of this gate", name, names));
}

std::string reproduce_text(const TimedGateRequest& request) {
  std::string text = fmt::format("fusetune gate '{}' --device {} --baseline '{}'",
                                 display_path(request.plan.sweep.file), request.plan.sweep.device,
                                 request.baseline.string());
  if (!request.anchor.empty()) text += fmt::format(" --anchor '{}'", request.anchor.string());
  return text;
}

class TimedGate {
 public:
  TimedGate(const TimedGateRequest& request, const DeviceProperties& device, Session& session)
      : request_(request),
        device_(device),
        session_(session),
        baseline_(baseline_or_none(request.baseline)),
        anchor_(request.anchor.empty() ? BaselineFile() : read_baseline(request.anchor)),
        gate_(gate_plan(request.plan, present_tables(request.plan, device, session.options.results),
                        baseline_)),
        candidates_(gate_, device, session) {}

  GateReport run() {
    report_.name = request_.plan.sweep.name;
    report_.session = {{"device", to_json(device_)},
                       {"compiler", candidates_.compiler()},
                       {"harness_version", harness_version()},
                       {"seed", std::to_string(session_.options.seed)},
                       {"delta", request_.delta},
                       {"alpha", request_.rules.alpha},
                       {"alpha_confirm", request_.rules.alpha_confirm}};
    std::vector<std::unique_ptr<Contest>> contests;
    const std::string reproduce = reproduce_text(request_);
    contests.push_back(
        contest({"perf/ratio", "the baseline", request_.baseline, reproduce, request_.delta, true},
                baseline_));
    if (!request_.anchor.empty())
      contests.push_back(contest(
          {"perf/anchor", "the anchor", request_.anchor, reproduce, request_.anchor_delta, false},
          anchor_));
    if (!session_.stop()) time(contests);
    for (const auto& one : contests) one->report(report_);
    report_.interrupted = session_.stop();
    return std::move(report_);
  }

 private:
  std::unique_ptr<Contest> contest(Contest::Terms terms, const BaselineFile& baseline) {
    return std::make_unique<Contest>(std::move(terms), baseline, request_, candidates_, device_,
                                     session_);
  }

  void time(const std::vector<std::unique_ptr<Contest>>& contests) {
    std::vector<std::size_t> numbers;
    for (const auto& one : contests)
      numbers.insert(numbers.end(), one->to_time().begin(), one->to_time().end());
    if (numbers.empty()) return;
    std::optional<Calibration> calibration;
    if (!is_timed_on_host(device_)) calibration = kept_calibration(device_, session_.options.store);
    WorkerPool pool(worker_role("device", 1));
    DuelGround ground{device_, request_.plan.sweep.device, session_, pool,
                      duel_options(request_.plan.sweep.measure.data == "cold",
                                   calibration ? calibration->cache_bytes : 0, request_.budget_s)};
    const std::vector<NullTest> nulls = null_tests(candidates_, numbers, request_.delta, ground);
    add(nulls);
    for (const auto& one : contests) one->time(ground, noise_of(nulls), calibration);
  }

  void add(const std::vector<NullTest>& nulls) {
    Json tests = Json::array();
    for (const NullTest& test : nulls) {
      tests.push_back({{"case", test.case_key},
                       {"ratio", test.ratio.mid},
                       {"low", test.ratio.low},
                       {"high", test.ratio.high},
                       {"half_width", test.half_width()},
                       {"failed", test.failed}});
      if (!test.failed) continue;
      Finding finding;
      finding.rule = "perf/null";
      finding.case_key = test.case_key;
      finding.family = test.case_key.substr(0, test.case_key.find('('));
      finding.target = gate_.plan.target.name;
      finding.verdict = Verdict::env_changed;
      finding.ratio = test.ratio;
      finding.reason =
          "twice in a row this machine told a kernel from itself: no ratio that it measures now "
          "can "
          "be believed";
      finding.place = {display_path(request_.plan.sweep.file), 1, 1};
      finding.reproduce = reproduce_text(request_);
      report_.findings.push_back(std::move(finding));
    }
    report_.session["null_tests"] = std::move(tests);
    report_.session["noise"] = noise_of(nulls);
  }

  const TimedGateRequest& request_;
  const DeviceProperties& device_;
  Session& session_;
  BaselineFile baseline_, anchor_;
  GatePlan gate_;
  Candidates candidates_;
  GateReport report_;
};

}  // namespace

GateReport run_timed_gate(const TimedGateRequest& request, const DeviceProperties& device,
                          Session& session) {
  require_known_families(request);
  return TimedGate(request, device, session).run();
}

std::filesystem::path usual_baseline(const std::filesystem::path& results,
                                     const DeviceProperties& device) {
  return results / device.name / "baseline.yaml";
}

Accepted accept_baseline(const Plan& plan, const std::filesystem::path& file,
                         const DeviceProperties& device, Session& session) {
  const BaselineFile before = baseline_or_none(file);
  const GatePlan gate =
      gate_plan(plan, present_tables(plan, device, session.options.results), before);
  const Candidates candidates(gate, device, session);
  Accepted accepted;
  accepted.interrupted = session.stop();
  if (accepted.interrupted) return accepted;
  BaselineFile after = before;
  std::map<std::string, std::string> ids;  // of snapshots, by family
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::string key = candidates.which(i).key();
    const Outcome outcome = candidates.outcome(i);
    if (!outcome.ok()) {
      accepted.refused.push_back(
          fmt::format("{}: {}: {}", key, to_string(outcome.status), outcome.message));
      continue;
    }
    const Family& family = *candidates.which(i).geometry.family;
    std::string& id = ids[family.name];
    if (id.empty()) {
      const Snapshot snapshot = take_snapshot(family, sources_of(file));
      id = snapshot.id();
      after.snapshots[id] = snapshot;
    }
    after.cases[key] = {key,
                        candidates.variant_key(i),
                        id,
                        candidates.unit(i)->code.code_identity,
                        {device.name, plan.target.name, candidates.compiler(), harness_version(),
                         device.conditions}};
    ++accepted.cases;
  }
  if (accepted.cases == 0) return accepted;
  accepted.changes = differences(before, after);
  write_baseline(after, file);
  return accepted;
}

}  // namespace fusetune
