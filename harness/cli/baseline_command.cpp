#include <fmt/format.h>

#include "harness/base/error.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/timed_gate_request.hpp"
#include "harness/cli/variant_legend.hpp"
#include "harness/gate/baseline_file.hpp"
#include "harness/gate/timed_gate.hpp"
#include "harness/spec/short_key.hpp"
#include "harness/tune/case_plan.hpp"
#include "harness/tune/session.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kShortId = 10;

/// A line of differences(), whose key follows its sign, as a person reads it.
std::string change_text(const std::string& line) {
  const std::size_t end = line.find(')');
  if (end == std::string::npos) return wrapped(line, 4);
  return wrapped(line.substr(0, 2) + short_case_key(line.substr(2, end - 1)) + line.substr(end + 1),
                 4);
}

ExitCode accept_candidates(const GlobalOptions& global, const BaselineOptions& options) {
  const Plan plan = gated_plan(options.sweep, options.device);
  RunSession run(global, "baseline " + plan.sweep.name, to_json(plan));
  const DeviceProperties device = device_properties(plan.sweep.device);
  const std::filesystem::path file =
      options.file.empty() ? usual_baseline(global.engine.results, device) : options.file;
  const Accepted accepted = accept_baseline(plan, file, device, run.session());
  if (global.json) {
    fmt::print("{}\n", Json{{"file", file.string()},
                            {"accepted", accepted.cases},
                            {"refused", accepted.refused},
                            {"changes", accepted.changes},
                            {"interrupted", accepted.interrupted}}
                           .dump(2));
  } else {
    for (const std::string& line : accepted.changes) fmt::print("{}", change_text(line));
    for (const std::string& line : accepted.refused)
      fmt::print("{}", wrapped("refused " + line, 4));
  }
  if (accepted.interrupted) return ExitCode::interrupted;
  if (!global.json && accepted.cases > 0)
    fmt::print("{} cases in {}, {} changed; commit it with {}.sources\n", accepted.cases,
               file.string(), accepted.changes.size(), file.filename().string());
  // A baseline with holes is one that nobody asked for.
  return accepted.refused.empty() && accepted.cases > 0 ? ExitCode::pass : ExitCode::unusable;
}

Json cases_json(const BaselineFile& baseline) {
  Json cases = Json::array();
  for (const auto& [key, one] : baseline.cases)
    cases.push_back({{"case", key},
                     {"variant", one.variant_key},
                     {"source", one.snapshot},
                     {"code_identity", one.code_identity},
                     {"device", one.accepted.device},
                     {"target", one.accepted.target},
                     {"compiler", one.accepted.compiler},
                     {"conditions", one.accepted.conditions}});
  return cases;
}

ExitCode show_baseline(const GlobalOptions& global, const BaselineOptions& options) {
  const BaselineFile baseline = read_baseline(options.file);
  if (global.json) {
    fmt::print("{}\n", cases_json(baseline).dump(2));
    return ExitCode::pass;
  }
  TextTable table({"case", "variant", "source", "accepted on"});
  VariantLegend legend;
  for (const auto& [key, one] : baseline.cases)
    table.add({short_case_key(key), legend.number(one.variant_key),
               one.snapshot.substr(0, kShortId), one.accepted.device});
  fmt::print("{}{}", table.text(kLineWidth), legend.text());
  return ExitCode::pass;
}

/// 1 where they differ, as diff does.
ExitCode diff_baselines(const GlobalOptions& global, const BaselineOptions& options) {
  const std::vector<std::string> lines =
      differences(read_baseline(options.from), read_baseline(options.to));
  if (global.json)
    fmt::print("{}\n", Json(lines).dump(2));
  else
    for (const std::string& line : lines) fmt::print("{}", change_text(line));
  return lines.empty() ? ExitCode::pass : ExitCode::regression;
}

}  // namespace

ExitCode baseline_command(const GlobalOptions& global, const BaselineOptions& options) {
  if (options.action == "accept") return accept_candidates(global, options);
  if (options.action == "show") return show_baseline(global, options);
  return diff_baselines(global, options);
}

}  // namespace fusetune
