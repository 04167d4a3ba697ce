#include "harness/cli/timed_gate_request.hpp"

#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/size_text.hpp"
#include "harness/gate/timed_gate.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

namespace {

/// "3%" for all, "FAMILY=5%" for one.
void apply_delta(const std::string& text, TimedGateRequest& request) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    request.delta = parse_percent(text);
  else
    request.family_delta[text.substr(0, equals)] = parse_percent(text.substr(equals + 1));
}

}  // namespace

Plan gated_plan(const std::filesystem::path& file, const std::string& device) {
  Sweep sweep = load_sweep(file);
  if (!device.empty()) sweep.device = device;
  sweep.also_compile.clear();
  const Target target = target_for(sweep.device);
  return make_plan(sweep, Models::load_default(), target);
}

GateReport timed_gate_report(const GlobalOptions& global, const GateOptions& options) {
  TimedGateRequest request;
  request.plan = gated_plan(options.sweep, options.device);
  for (const std::string& delta : options.deltas) apply_delta(delta, request);
  RunSession run(global, "gate " + request.plan.sweep.name, to_json(request.plan));
  const DeviceProperties device = device_properties(request.plan.sweep.device);
  request.baseline =
      options.baseline.empty() ? usual_baseline(global.engine.results, device) : options.baseline;
  request.anchor = options.anchor;
  return run_timed_gate(request, device, run.session());
}

}  // namespace fusetune
