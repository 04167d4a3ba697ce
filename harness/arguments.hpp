#pragma once
// What each command takes, with help that stands by itself.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "harness/cli/commands.hpp"
#include "harness/worker/worker.hpp"

namespace fusetune {

/// The command that was asked for, and what it runs.
struct Program {
  GlobalOptions global;
  TuneOptions tune;
  VerifyOptions verify;
  GoldenOptions golden;
  InspectOptions inspect;
  RefreshOptions refresh;
  ExplainOptions explain;
  ReportOptions report;
  BaselineOptions baseline;
  DoctorOptions doctor;
  GateOptions gate;
  SelftestOptions selftest;
  std::string list_what = "all";
  CacheOptions cache;
  RecordsOptions records;
  ExportOptions exported;
  ImportOptions imported;
  std::string worker_role;
  WorkerLinks worker_links;
  std::function<ExitCode()> run;
};

/// Gives the command line its options and commands; the one that is asked for becomes `run`.
void add_commands(CLI::App& app, Program& program);

}  // namespace fusetune
