#include <fmt/format.h>

#include "harness/argument_parts.hpp"
#include "harness/cli/size_text.hpp"

namespace fusetune {

namespace {

void add_record_filter(CLI::App& command, RecordsOptions& records) {
  command.add_option("--kind", records.kind, "compile, proof, race, traffic, search or death");
  command.add_option("--status", records.status, "As fusetune list statuses has them");
  command.add_option("--family", records.family, "Family");
  command.add_option("--run", records.run, "Run by its number")->check(above_zero());
}

}  // namespace

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

}  // namespace fusetune
