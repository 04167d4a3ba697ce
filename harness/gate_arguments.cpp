#include "harness/argument_parts.hpp"

namespace fusetune {

namespace {

void add_gate_outputs(CLI::App& gate, GateOptions& options) {
  gate.add_option("--junit", options.junit, "Write JUnit XML to this file");
  gate.add_option("--sarif", options.sarif, "Write SARIF 2.1.0 to this file");
  gate.add_option("--report", options.report, "Write the JSON of --json to this file as well");
  gate.add_option("--summary", options.summary,
                  "Append a Markdown table (in GitHub Actions: the step's summary)")
      ->envname("GITHUB_STEP_SUMMARY");
  gate.add_flag("--annotations", options.annotations,
                "Print ::error lines of GitHub Actions (there: always)")
      ->envname("GITHUB_ACTIONS");
  gate.add_option("--explain", options.explain, "Print how this case was decided, step by step");
  gate.add_flag("--strict", options.strict, "What stays undecided fails (exit code 3)");
  gate.add_flag("--require-baseline", options.require_baseline,
                "What has no baseline or accepted facts fails (exit code 4)");
}

}  // namespace

void add_gate(CLI::App& app, Program& program) {
  GateOptions& options = program.gate;
  CLI::App* gate =
      app.add_subcommand("gate", "Judge a change: raced against its baseline, or without a clock");
  gate->add_option("SWEEP", options.sweep, "Sweep file (default: configs/sweeps/gate.yaml)");
  CLI::Option* without_clock = gate->add_flag(
      "--static", options.without_clock, "Without GPU or clock: proofs, facts of code and traces");
  gate->add_option("--family", options.families, "Families of the sweep; all when left out")
      ->needs(without_clock);
  gate->add_flag("--accept", options.accept,
                 "Accept what is seen: rewrites the files of --accepted")
      ->needs(without_clock);
  gate->add_option("--accepted", options.accepted,
                   "Folder of accepted facts (default: results/accepted)")
      ->needs(without_clock);
  gate->add_option("--rules", options.rules,
                   "Rules and tolerances (default: configs/gate-rules.yaml)")
      ->needs(without_clock);
  gate->add_option("--target", options.targets,
                   "Targets instead of host-w64, host-w32 and the sweep's also_compile")
      ->needs(without_clock);
  for (CLI::Option* timed :
       {gate->add_option("--device", options.device, "Device of the races, instead of the sweep's"),
        gate->add_option("--baseline", options.baseline,
                         "Baseline to race against (default: the device's baseline.yaml)"),
        gate->add_option("--delta", options.deltas,
                         "Least change that counts: 3%, or of one family FAMILY=5%"),
        gate->add_option("--anchor", options.anchor, "Pinned release, against slow creep")})
    timed->excludes(without_clock);
  add_gate_outputs(*gate, options);
  gate->footer(
      "Exit codes: 0 passed; 1 something got worse; 2 a result was wrong; 3 undecided (--strict);\n"
      "4 nothing was compared, or baseline or environment cannot be used; 5 a kernel crashed or\n"
      "hung. docs/ci.md has workflows of GitHub Actions and GitLab.");
  gate->callback([&program] {
    program.run = [&program] { return gate_command(program.global, program.gate); };
  });
}

void add_baseline(CLI::App& app, Program& program) {
  BaselineOptions& options = program.baseline;
  CLI::App* baseline =
      app.add_subcommand("baseline", "The variants and sources that gate races against");
  baseline->require_subcommand(1);
  const auto add = [&](const char* action, const char* about) {
    CLI::App* command = baseline->add_subcommand(action, about);
    command->callback([&program, action] {
      program.baseline.action = action;
      program.run = [&program] { return baseline_command(program.global, program.baseline); };
    });
    return command;
  };
  CLI::App* accept = add("accept", "Prove what would be shipped, and take it as the baseline");
  accept->add_option("SWEEP", options.sweep, "Sweep file: its cases")->required();
  accept->add_option("--device", options.device, "Device, instead of the sweep's");
  accept->add_option("--baseline", options.file,
                     "File to write (default: baseline.yaml of the device's results)");
  add("show", "One line a case: variant, source, where it was accepted")
      ->add_option("FILE", options.file, "Baseline")
      ->required();
  CLI::App* diff = add("diff", "What differs between two baselines, one line a case");
  diff->add_option("FROM", options.from, "Baseline")->required();
  diff->add_option("TO", options.to, "Baseline")->required();
}

}  // namespace fusetune
