// fusetune_gbench [--store FOLDER] [--results FOLDER] [--family F] [--device D] [--case C] [--all]
//                 [--sweep FILE] [Google Benchmark's own options]

#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "bridges/stored_benchmarks.hpp"
#include "bridges/worker_entry.hpp"
#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/base/status.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/tune/campaign.hpp"
#include "harness/tune/case_plan.hpp"

namespace fusetune::bridge {
namespace {

/// Compiles, proves and races; what the store has is not done again.
void measure(const std::filesystem::path& file, const StoredBenchmarkOptions& options) {
  const Sweep sweep = load_sweep(file);
  const DeviceProperties device = device_properties(sweep.device);
  const Plan plan = make_plan(sweep, Models::load_default(), device.target);
  EngineOptions engine;
  engine.store = options.store;
  engine.results = options.results;
  RecordStore records = RecordStore::open(engine.store, true);
  CodeStore code(engine.store);
  SilentProgress progress;
  Session session{records, code, progress, engine, interrupted};
  records.begin_run(sweep.content_hash, "gbench " + sweep.name, to_json(plan));
  const Campaign campaign = tune_campaign(plan, device, session);
  records.end_run(campaign.interrupted ? "interrupted" : "finished");
  if (campaign.interrupted || !campaign.decided())
    throw UserError("the sweep ended without times: fusetune tune says why");
}

int run_benchmarks(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);  // takes its own options away
  CLI::App app(
      "fusetune_gbench: what was measured, as benchmarks; --help of Google Benchmark's "
      "options is theirs",
      "fusetune_gbench");
  StoredBenchmarkOptions options;
  std::filesystem::path sweep;
  app.add_option("--store", options.store, "Folder of records")->capture_default_str();
  app.add_option("--results", options.results, "Folder of tables")->capture_default_str();
  app.add_option("--family", options.selection.family, "Family (default: all)");
  app.add_option("--device", options.selection.device, "Device (default: all)");
  app.add_option("--case", options.selection.case_key, "Case by its key (default: all)");
  app.add_flag("--all", options.all, "Every variant that was timed, by its key");
  app.add_option("--sweep", sweep, "First measure what this sweep asks and the store lacks");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  catch_interrupts();
  if (!sweep.empty()) measure(sweep, options);
  register_stored(options);
  benchmark::AddCustomContext("fusetune", harness_version());
  if (benchmark::RunSpecifiedBenchmarks() == 0) {
    std::fprintf(stderr, "error: no benchmark was selected\n");
    return static_cast<int>(ExitCode::unusable);
  }
  benchmark::Shutdown();
  return 0;
}

}  // namespace
}  // namespace fusetune::bridge

int main(int argc, char** argv) {
  return fusetune::bridge::serve_or_run(argc, argv, fusetune::bridge::run_benchmarks);
}
