#include "harness/arguments.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "harness/base/error.hpp"
#include "harness/cli/size_text.hpp"

namespace fusetune {

namespace {

constexpr const char* kFooter =
    R"(Keys paste back: a case is FAMILY(name=value,...), a variant name=value,...; quote them in a
shell.

Exit codes: 0 all well; 1 worse than the baseline (gate); 2 a result was wrong; 3 inconclusive;
4 the environment is unusable, a variant did not compile, or nothing was compared or decided; 5 a
kernel crashed or hung; 64 usage or input; 70 internal error; 130 interrupted (what was done is
kept). The gravest of several counts: 130, 70, 2, 5, 1, 4, 64, 3. A compiler that is not installed
is a remark and exit code 0 for a target of also_compile, and 4 for the device or for a target that
is asked for.

First steps:
  fusetune list models                           what shapes there are
  fusetune tune configs/sweeps/quickstart.yaml   from YAML to a proven table and a header, no GPU
  fusetune verify split_reshape_cat --model qwen3.5-27b --tp 8 --device host-w32
  fusetune gate --static                         judge a change to the kernels, no GPU
  fusetune explain 'CASE'                        why a variant won and why the others fell)";

constexpr const char* kDevices = "host-w64, host-w32, simulated, hip:N (default: the first two)";

/// CLI11's own validator tells the largest double digit by digit.
CLI::Validator above_zero() {
  return CLI::Validator(
      [](const std::string& text) {
        double value = 0;
        const bool good = CLI::detail::lexical_cast(text, value) && value > 0;
        return good ? std::string() : fmt::format("'{}' is no number above 0", text);
      },
      "POSITIVE");
}

/// A minus sign would wrap around.
CLI::Validator zero_or_more() {
  return CLI::Validator(
      [](const std::string& text) {
        std::uint64_t value = 0;
        const bool good = !text.starts_with('-') && CLI::detail::lexical_cast(text, value);
        return good ? std::string() : fmt::format("'{}' is no whole number from 0 up", text);
      },
      "NONNEGATIVE");
}

void add_global(CLI::App& app, GlobalOptions& global) {
  app.add_option("--store", global.engine.store, "Folder of records and code objects")
      ->capture_default_str();
  app.add_option("--results", global.engine.results, "Folder of tables and headers")
      ->capture_default_str();
  app.add_option("--jobs", global.engine.jobs, "Worker processes; 0: one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--seed", global.engine.seed, "Seed of inputs and schedules")
      ->check(zero_or_more())
      ->capture_default_str();
  app.add_option("--compile-timeout-s", global.engine.compile_timeout_s, "Limit per compilation")
      ->check(above_zero())
      ->capture_default_str();
  app.add_option("--compile-memory-mib", global.engine.compile_memory_mib,
                 "Memory of each compiler and its worker; 0: no limit")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 30))
      ->capture_default_str();
  app.add_option("--kernel-timeout-s", global.engine.kernel_timeout_s,
                 "Limit per proved case, at first (docs/containment.md)")
      ->check(above_zero())
      ->capture_default_str();
  app.add_option("--exact-rows", global.engine.exact_rows_max,
                 "Rows up to which cases are proved in EXACT mode; 0: none")
      ->check(zero_or_more())
      ->capture_default_str();
  app.add_flag("--retry-failed", global.engine.retry_failed, "Try recorded failures again");
  app.add_option_function<std::string>(
         "--cache-limit",
         [&global](const std::string& text) { global.engine.cache_bytes_max = parse_bytes(text); },
         "Bytes to keep (default 8G); what was not used for longest goes")
      ->envname("FUSETUNE_CACHE_LIMIT");
  app.add_flag("--json", global.json, "Print one JSON document on stdout instead of text");
}

void add_selection(CLI::App& command, SelectionOptions& selection) {
  command.add_option("--model", selection.models, "Model of configs/models.yaml, or 'all'");
  command.add_option("--tp", selection.tp, "Tensor-parallel split, or 'all' (the default)");
  command.add_option("-o,--option", selection.options,
                     "Option, dtype or symbol, as layout=merged or nk=2,4");
  command.add_option("--tokens", selection.tokens, "Rows of the case (default 64)")
      ->check(zero_or_more());
  command.add_option("--space", selection.space, "Variants: full, pairwise, or how many")
      ->capture_default_str();
  command.add_option("--variant", selection.variant, "One variant by its key instead of a space");
}

void add_audit(CLI::App& command, AuditOptions& audit) {
  command.add_option_function<std::string>(
      "--audit", [&audit](const std::string& text) { audit.share = parse_percent(text); },
      "Prove and time this share of the store again (5%), and compare");
  command.add_option("--audit-seed", audit.seed, "Which ones (default: drawn anew, and printed)")
      ->check(above_zero());
}

void add_tune(CLI::App& app, Program& program) {
  CLI::App* command =
      app.add_subcommand("tune", "Compile, prove and race a sweep; write table and header");
  command
      ->add_option("SWEEP", program.tune.sweep, "Sweep file, e.g. configs/sweeps/quickstart.yaml")
      ->required();
  command->add_option("--device", program.tune.device,
                      "Instead of the sweep's: host-w64, host-w32, simulated, hip:N");
  command->add_option("--space", program.tune.space,
                      "Instead of the sweep's: full, pairwise, or N");
  command->add_option("--budget-s", program.tune.budget_s, "Instead of the sweep's measuring time")
      ->check(above_zero());
  command->add_flag("--dry-run", program.tune.dry_run,
                    "Show cases, variants, launches and expected time; run nothing");
  command->add_option("--target", program.tune.target,
                      "Of a dry run: as for a GPU that is not here, e.g. gfx942 or sm_90");
  add_audit(*command, program.tune.audit);
  command->callback([&program] {
    program.run = [&program] { return tune_command(program.global, program.tune); };
  });
}

void add_verify(CLI::App& app, Program& program) {
  CLI::App* command =
      app.add_subcommand("verify", "Compile and prove; no timing. Takes a family, case or sweep");
  command->add_option("WHAT", program.verify.what, "Family, case key, or sweep file")->required();
  command->add_option("--device", program.verify.devices, kDevices);
  add_selection(*command, program.verify.selection);
  command->add_flag("--batch-invariant", program.verify.batch_invariant,
                    "Say which variants give a row the same bits, whatever its batch");
  add_audit(*command, program.verify.audit);
  command->callback([&program] {
    program.run = [&program] { return verify_command(program.global, program.verify); };
  });
}

void add_golden(CLI::App& app, Program& program) {
  CLI::App* command =
      app.add_subcommand("golden", "Compare reference and variants with outputs of other code");
  command->add_option("FILE", program.golden.files, "safetensors files with cases")->required();
  command->add_option("--device", program.golden.devices, kDevices);
  command->add_option("--space", program.golden.space, "Variants: full, pairwise, or how many")
      ->capture_default_str();
  command->add_flag("--cases", program.golden.cases, "Print every case, not only what differs");
  command->add_option("--case", program.golden.only, "Cases by name (default: all of the files)");
  command->callback([&program] {
    program.run = [&program] { return golden_command(program.global, program.golden); };
  });
}

void add_inspect(CLI::App& app, Program& program) {
  CLI::App* command = app.add_subcommand(
      "inspect", "Registers, spills, LDS, occupancy and access widths per variant");
  command->add_option("--family", program.inspect.family, "Family; not needed with --case");
  command->add_option("--case", program.inspect.case_key, "Case key instead of a family");
  command->add_option("--target", program.inspect.target, "gfx90a, host-w64, ...")
      ->capture_default_str();
  command->add_flag("--log", program.inspect.log,
                    "Print the whole compiler log of the first failure");
  add_selection(*command, program.inspect.selection);
  command->callback([&program] {
    program.run = [&program] { return inspect_command(program.global, program.inspect); };
  });
}

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

void add_doctor(CLI::App& app, Program& program) {
  CLI::App* doctor = app.add_subcommand(
      "doctor", "What a device's figures are worth: clock, cache, memory, noise");
  doctor->add_option("--device", program.doctor.device, "host-w64, host-w32, simulated or hip:N")
      ->capture_default_str();
  doctor->footer(
      "Exit codes: 0 this machine can gate at 3 %; 2 the kernels that measure compute something\n"
      "else; 3 its noise is too large for that; 4 the device or its compiler is unusable.");
  doctor->callback([&program] {
    program.run = [&program] { return doctor_command(program.global, program.doctor); };
  });
}

void add_report(CLI::App& app, Program& program) {
  CLI::App* report =
      app.add_subcommand("report", "One HTML file of winners, variants, times, failures and facts");
  report->add_option("--device", program.report.device, "Only this device (default: all)");
  report->add_option("--out", program.report.out,
                     "File to write (default report.html, or none with --svg)");
  report->add_option("--svg", program.report.svg, "Folder that gets the pictures as SVG files");
  report->add_option("--against", program.report.against,
                     "Another store or results folder: what changed since");
  report->add_option("--peers", program.report.peers,
                     "CSV with columns case, peer and us: times of other kernels");
  report->callback([&program] {
    program.run = [&program] { return report_command(program.global, program.report); };
  });
}

void add_rest(CLI::App& app, Program& program) {
  CLI::App* explain =
      app.add_subcommand("explain", "Why a variant won its case, and why the others fell");
  explain->add_option("CASE", program.explain.case_key, "Case key, as a summary prints it")
      ->required();
  explain->add_option("--device", program.explain.device, "Device of the race")
      ->capture_default_str();
  explain->callback([&program] {
    program.run = [&program] { return explain_command(program.global, program.explain); };
  });

  CLI::App* selftest =
      app.add_subcommand("selftest", "Plant bugs one at a time: each must be found by its check");
  CLI::Option* family =
      selftest->add_option("FAMILY", program.selftest.family, "Family; all of them when left out");
  CLI::Option* timed =
      selftest
          ->add_flag("--timed", program.selftest.timed,
                     "Only what is planted on the path that is timed (not on a host)")
          ->excludes(family);
  selftest
      ->add_option("--case", program.selftest.timed_case, "The case that --timed runs, by its key")
      ->needs(timed);
  selftest->add_option("--mutant", program.selftest.mutants,
                       "One planted bug by its name, of FAMILY or with --timed");
  selftest->add_option("--device", program.selftest.devices, kDevices);
  selftest
      ->add_option("--seeds", program.selftest.seeds, "Seeds for false alarms on the true kernel")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  selftest->add_option("--mode", program.selftest.modes, "exact or fast; both when left out");
  selftest->add_option("--without", program.selftest.without,
                       "Switch off one group of checks and see which bugs live");
  selftest
      ->add_option("--write-docs", program.selftest.docs,
                   "Put the tables of all families between the markers of this file")
      ->excludes(family);
  selftest->callback([&program] {
    program.run = [&program] { return selftest_command(program.global, program.selftest); };
  });

  CLI::App* list = app.add_subcommand("list", "Families, models, targets, statuses, tables");
  list->add_option("WHAT", program.list_what,
                   "families, models, targets, statuses, all of these; or tables")
      ->check(CLI::IsMember({"families", "models", "targets", "statuses", "all", "tables"}));
  list->callback([&program] {
    program.run = [&program] { return list_command(program.global, program.list_what); };
  });

  CLI::App* devices =
      app.add_subcommand("devices", "Devices and compilers here, and why others are not");
  devices->callback(
      [&program] { program.run = [&program] { return devices_command(program.global); }; });

  CLI::App* worker = app.add_subcommand("worker", "");
  worker->group("");  // started by the program itself
  worker->add_option("ROLE", program.worker_role)->required();
  worker->add_option("--in-fd", program.worker_links.in_fd)->required();
  worker->add_option("--out-fd", program.worker_links.out_fd)->required();
  worker->add_option("--note-fd", program.worker_links.note_fd)->required();
  worker->add_option("--scratch", program.worker_links.scratch)->required();
  worker->callback([&program] {
    program.run = [&program] {
      return static_cast<ExitCode>(run_worker(program.worker_role, program.worker_links));
    };
  });
}

void add_cache(CLI::App& app, Program& program) {
  CLI::App* cache =
      app.add_subcommand("cache", "Code objects in the store: what is there, is whole, may go");
  cache->require_subcommand(0, 1);
  const auto add = [&](const char* action, const char* about) {
    CLI::App* command = cache->add_subcommand(action, about);
    command->callback([&program, action] { program.cache.action = action; });
    return command;
  };
  add("info", "Entries, failures and bytes, by target and compiler");
  add("verify", "Read every code object and check its checksums")
      ->add_flag("--repair", program.cache.repair,
                 "Delete what is damaged: it is compiled again when it is needed");
  add("prune", "Delete what was not used for longest, until the rest fits")
      ->add_option("--limit", program.cache.limit, "Bytes to keep, e.g. 500M or 2G");
  add("clear", "Delete all code objects; records of proofs and races stay");
  cache->callback([&program] {
    program.run = [&program] { return cache_command(program.global, program.cache); };
  });
}

void add_record_filter(CLI::App& command, RecordsOptions& records) {
  command.add_option("--kind", records.kind, "compile, proof, race, traffic, search or death");
  command.add_option("--status", records.status, "As fusetune list statuses has them");
  command.add_option("--family", records.family, "Family");
  command.add_option("--run", records.run, "Run by its number")->check(above_zero());
}

void add_records(CLI::App& app, Program& program) {
  CLI::App* records =
      app.add_subcommand("records", "What was compiled, proved and measured: look, save, join");
  records->require_subcommand(1);
  const auto add = [&](const char* action, const char* about) {
    CLI::App* command = records->add_subcommand(action, about);
    command->callback([&program, action] { program.records.action = action; });
    return command;
  };
  add_record_filter(*add("list", "One line per record, the oldest first"), program.records);
  add("show", "One record with all that it holds")
      ->add_option("RECORD", program.records.what,
                   "The beginning of its key, or a part of its subject")
      ->required();
  CLI::App* save = add("export", "Write records to a file of JSON lines, with checksums");
  save->add_option("FILE", program.records.file, "File to write")->required();
  save->add_flag("--salvage", program.records.salvage,
                 "From a store that is damaged: what can still be read of it");
  add_record_filter(*save, program.records);
  add("merge", "Take in the records of other stores: all of them or none")
      ->add_option("FROM", program.records.from, "Files of records export, or folders of stores")
      ->required();
  records->callback([&program] {
    program.run = [&program] { return records_command(program.global, program.records); };
  });
}

void add_exchange(CLI::App& app, Program& program) {
  CLI::App* out = app.add_subcommand("export", "Results in the formats of other tools");
  out->add_option("--format", program.exported.format,
                  "t4, t1, kernel-tuner, gbench, kernel-launcher, aiter-csv,\n"
                  "vllm-json, sglang-json or rocprim-header")
      ->required();
  out->add_option("--out", program.exported.out, "Folder, or the file where there is one")
      ->capture_default_str();
  out->add_option("--family", program.exported.family, "Family (default: all)");
  out->add_option("--device", program.exported.device, "Device (default: all)");
  out->add_option("--case", program.exported.case_key, "Case by its key (default: all)");
  out->callback([&program] {
    program.run = [&program] { return export_command(program.global, program.exported); };
  });

  CLI::App* in = app.add_subcommand("import", "Read other tools' results; make a sweep of them");
  in->add_option("FILE", program.imported.file, "File to read")->required();
  in->add_option("--format", program.imported.format,
                 "t4, kernel-tuner, kernel-launcher, aiter-csv, vllm-json\nor rocprim-header")
      ->required();
  in->add_option("--out", program.imported.out, "Write the records to this file, in one form");
  in->add_option("--sweep", program.imported.sweep, "Write a sweep that races the fastest here");
  in->add_option("--case", program.imported.case_key, "The case of that sweep");
  in->add_option("--device", program.imported.device, "The device of that sweep")
      ->capture_default_str();
  in->add_option("--top", program.imported.top, "How many variants it has")
      ->check(above_zero())
      ->capture_default_str();
  in->callback([&program] {
    program.run = [&program] { return import_command(program.global, program.imported); };
  });
}

}  // namespace

void add_commands(CLI::App& app, Program& program) {
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  add_global(app, program.global);
  add_tune(app, program);
  add_verify(app, program);
  add_golden(app, program);
  add_inspect(app, program);
  add_gate(app, program);
  add_baseline(app, program);
  add_cache(app, program);
  add_records(app, program);
  add_exchange(app, program);
  add_doctor(app, program);
  add_report(app, program);
  add_rest(app, program);
}

}  // namespace fusetune
