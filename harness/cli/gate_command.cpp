#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/gate_text.hpp"
#include "harness/cli/quarantine.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/timed_gate_request.hpp"
#include "harness/gate/gate_json.hpp"
#include "harness/gate/github.hpp"
#include "harness/gate/junit.hpp"
#include "harness/gate/sarif.hpp"
#include "harness/gate/static_gate.hpp"

namespace fusetune {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kProblemsMax = 20;

fs::path or_default(const fs::path& given, const char* below_root) {
  return given.empty() ? project_root() / below_root : given;
}

std::string timestamp_now() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void append_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::app | std::ios::binary);
  file << text << std::flush;
  if (!file) throw UserError(fmt::format("cannot append to {}", path.string()));
}

/// What other steps wrote counts as well.
std::size_t summary_room(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t there = fs::file_size(path, error);
  if (error) return kSummaryBytesMax;
  return there < kSummaryBytesMax ? kSummaryBytesMax - static_cast<std::size_t>(there) : 0;
}

/// Commands as they run here: this program, its environment, its global options.
void name_commands(const GlobalOptions& global, GateReport& report) {
  constexpr std::string_view kPrefix = "fusetune ";
  for (Finding& finding : report.findings)
    if (finding.reproduce.starts_with(kPrefix))
      finding.reproduce = command_text(global, finding.reproduce.substr(kPrefix.size()));
}

void write_outputs(const GateOptions& options, const GateReport& report, const GateRules& rules) {
  if (!options.junit.empty())
    write_file_atomic(options.junit, junit_xml(report, rules, timestamp_now()));
  if (!options.sarif.empty())
    write_file_atomic(options.sarif, sarif_json(report, rules).dump(2) + "\n");
  if (!options.report.empty())
    write_file_atomic(options.report, gate_json(report, rules).dump(2) + "\n");
  if (!options.summary.empty())
    append_file(options.summary, step_summary(report, rules, summary_room(options.summary)));
}

void print_report(const GlobalOptions& global, const GateOptions& options, const GateReport& report,
                  const GateRules& rules) {
  if (global.json) {
    fmt::print("{}\n", gate_json(report, rules).dump(2));
    return;
  }
  fmt::print("{}{}", cases_text(report, rules, global.terminal),
             problems_text(report, rules, global.terminal, kProblemsMax));
  if (!options.explain.empty()) fmt::print("{}", decision_text(report, options.explain));
  if (options.annotations) fmt::print("{}", annotations(report, rules));
  fmt::print("{}", outcome_lines(report, rules, global.terminal));
}

StaticGateRequest static_request(const GlobalOptions& global, const GateOptions& options) {
  StaticGateRequest request;
  request.sweep = load_sweep(or_default(options.sweep, "configs/sweeps/gate.yaml"));
  request.rules = load_static_rules(or_default(options.rules, "configs/gate-rules.yaml"));
  request.accepted = or_default(options.accepted, "results/accepted");
  for (const std::string& family : options.families) find_family(family);
  keep_families(request.sweep, options.families);
  request.whole = options.families.empty();
  request.targets = options.targets;
  request.on_campaign = [&global](const Plan& plan, const Campaign& campaign) {
    quarantine_failures(plan, campaign, global);
  };
  return request;
}

void accept(const GlobalOptions& global, const StaticGateRequest& request,
            const StaticGateResult& result) {
  const std::vector<std::string> lines = accept_facts(request, result);
  if (global.json) return fmt::print("{}\n", Json{{"accepted", lines}}.dump(2));
  for (const std::string& line : lines) fmt::print("{}\n", line);
  fmt::print("accepted; review the files and commit them\n");
}

}  // namespace

ExitCode gate_command(const GlobalOptions& global, const GateOptions& options) {
  const GateRules rules{options.strict, options.require_baseline};
  GateReport report;
  if (options.without_clock) {
    const StaticGateRequest request = static_request(global, options);
    RunSession run(global, "gate --static " + request.sweep.name);
    StaticGateResult result = run_static_gate(request, run.session());
    if (options.accept) {
      accept(global, request, result);
      return ExitCode::pass;
    }
    report = std::move(result.report);
  } else {
    if (options.sweep.empty())
      throw UserError(
          "say which sweep is to be raced: gate SWEEP; or judge without a clock: gate --static");
    report = timed_gate_report(global, options);
  }
  name_commands(global, report);
  write_outputs(options, report, rules);
  print_report(global, options, report, rules);
  return exit_code_of(report, rules);
}

}  // namespace fusetune
