#include "harness/argument_parts.hpp"

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
  command.add_option("--space", selection.space,
                     "Variants: full, pairwise (the default of a family), or how many");
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
  command->add_option("--family", program.tune.families,
                      "Of the sweep's families, this alone; again for more");
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
  command->add_option("--case", program.inspect.case_key,
                      "Case key instead of a family and its shapes");
  command->add_option("--target", program.inspect.target, "gfx90a, host-w64, ...")
      ->capture_default_str();
  command->add_flag("--log", program.inspect.log,
                    "Print the whole compiler log of the first failure");
  add_selection(*command, program.inspect.selection);
  command->callback([&program] {
    program.run = [&program] { return inspect_command(program.global, program.inspect); };
  });
}

void add_refresh(CLI::App& app, Program& program) {
  CLI::App* command =
      app.add_subcommand("refresh", "Tables whose sources changed and whose code did not");
  command->add_option("--device", program.refresh.device, "Only tables of this device");
  command->add_option("--family", program.refresh.family, "Only tables of this family");
  command->callback([&program] {
    program.run = [&program] { return refresh_command(program.global, program.refresh); };
  });
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
  add_refresh(app, program);
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
