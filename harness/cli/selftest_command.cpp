#include "harness/tune/selftest.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/text_table.hpp"

namespace fusetune {

namespace {

/// The families of tests/mutants/kernels are for this command alone. Workers find them by the
/// environment, as they find a user's.
void add_test_families() {
  const std::string folder = (project_root() / "tests" / "mutants" / "kernels").string();
  const char* known = ::getenv("FUSETUNE_KERNEL_PATH");
  const std::string path = known == nullptr || *known == '\0' ? folder : folder + ":" + known;
  ::setenv("FUSETUNE_KERNEL_PATH", path.c_str(), 1);
}

/// Those with mutants, and those that have none and should.
std::vector<std::string> families_to_test(const std::string& chosen) {
  if (!chosen.empty()) {
    find_family(chosen);
    return {chosen};
  }
  std::set<std::string> names;
  for (const std::string& name : family_names()) names.insert(name);
  for (const auto& [name, file] : mutant_files()) names.insert(name);
  return {names.begin(), names.end()};
}

/// Throws UserError with the nearest name.
void keep_named(MutantFile& file, const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const Mutant& mutant : file.mutants) known.push_back(mutant.name);
  for (const std::string& name : names)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UserError(unknown_name("mutant of " + file.family, name, known));
  std::erase_if(file.mutants, [&names](const Mutant& mutant) {
    return std::find(names.begin(), names.end(), mutant.name) == names.end();
  });
}

MutantFile mutants_of(const std::string& family) {
  const auto files = mutant_files();
  const auto file = files.find(family);
  if (file == files.end())
    throw UserError(
        fmt::format("{} has no planted bugs: there is no tests/mutants/{}.yaml", family, family));
  return load_mutants(file->second);
}

std::string cell_of(const MutantVerdict& verdict) {
  if (!verdict.out_of_reach.empty())
    return verdict.check.empty() ? "out of reach" : "out of reach, " + verdict.found_by();
  if (verdict.killed) return verdict.found_by();
  if (verdict.check.empty()) return "NOTHING";
  return verdict.found_by() + " (not said)";
}

/// The mutant alone.
std::string again_text(const GlobalOptions& global, const SelftestOptions& options,
                       const SelftestSummary& summary, const MutantVerdict& verdict) {
  std::string arguments =
      fmt::format("selftest {} --mutant {} --mode {} --device {}", summary.family, verdict.name,
                  to_string(verdict.mode), summary.device);
  if (!options.without.empty()) arguments += " --without " + options.without;
  return command_text(global, arguments);
}

void print_summary(const GlobalOptions& global, const SelftestOptions& options,
                   const SelftestSummary& summary, const std::vector<ProofMode>& modes) {
  std::vector<std::string> header{"mutant"};
  for (const ProofMode mode : modes) header.emplace_back(to_string(mode));
  header.emplace_back("what it does");
  TextTable table(header);
  std::vector<std::string> row;
  for (const MutantVerdict& verdict : summary.mutants) {
    if (row.empty()) row.push_back(verdict.name);
    row.push_back(cell_of(verdict));
    if (row.size() + 1 < header.size()) continue;
    row.push_back(verdict.about);
    table.add(row);
    row.clear();
  }
  fmt::print("{} on {}\n{}", summary.family, summary.device, table.text(kLineWidth));
  for (const MutantVerdict& verdict : summary.mutants)
    if (!verdict.killed && verdict.out_of_reach.empty())
      fmt::print("{}    again: {}\n",
                 wrapped(fmt::format("  {}, {}: {}", verdict.name, to_string(verdict.mode),
                                     verdict.message),
                         4),
                 again_text(global, options, summary, verdict));
  for (const ProofMode mode : modes)
    fmt::print("{}: {} of {} killed\n", to_string(mode), summary.killed(mode),
               counted(summary.within_reach(mode), "mutant"));
  fmt::print("{} of the shipped kernel, {}\n\n", counted(summary.true_runs, "proof"),
             counted(static_cast<long long>(summary.false_alarms.size()), "false alarm"));
  for (const std::string& alarm : summary.false_alarms)
    fmt::print("{}", wrapped(fmt::format("  false alarm: {}", alarm), 4));
}

/// The families and devices one after the other; what is wrong with one keeps no other from its
/// test.
class SelftestRun {
 public:
  SelftestRun(const GlobalOptions& global, const SelftestOptions& options)
      : global_(global), options_(options), run_(global, "selftest") {
    for (const std::string& mode : options.modes) modes_.push_back(mode_from_string(mode));
    if (modes_.empty()) modes_ = {ProofMode::exact, ProofMode::fast};
    std::sort(modes_.begin(), modes_.end());
    if (!options.without.empty()) find_check_group(options.without);
  }

  void test(const std::string& family, const std::vector<std::string>& devices) {
    try {
      MutantFile file = mutants_of(family);
      if (!options_.mutants.empty()) keep_named(file, options_.mutants);
      for (const std::string& device : devices)
        if (!interrupted()) test(file, device, device == devices.front());
    } catch (const UserError& error) {
      worst_ = worst_of(worst_, ExitCode::usage);
      errors_.emplace_back(error.what());
      documents_.push_back(
          {{"family", family}, {"interrupted", false}, {"passed", false}, {"error", error.what()}});
    }
  }

  /// Of a run over everything: every group of checks is needed by some mutant.
  void check_groups_are_proven() {
    for (const UnprovenGroup& group : unproven_groups(summaries_, modes_)) {
      worst_ = worst_of(worst_, ExitCode::verification_failed);
      errors_.push_back(
          fmt::format("no mutant lives in {} mode without the checks '{}': nothing shows that they "
                      "are needed",
                      to_string(group.mode), group.group));
    }
  }

  void write_docs() const {
    write_file_atomic(options_.docs,
                      with_mutant_tables(read_file(options_.docs), mutant_tables(summaries_)));
  }

  ExitCode end() {
    if (interrupted()) worst_ = ExitCode::interrupted;
    if (interrupted() && (documents_.empty() || !documents_.back()["interrupted"].get<bool>()))
      documents_.push_back({{"interrupted", true}});
    if (global_.json) fmt::print("{}\n", documents_.dump(2));
    if (interrupted() && !global_.json) fmt::print("interrupted: the rest was not tested\n");
    for (const std::string& error : errors_)
      fmt::print(stderr, "{}", wrapped("error: " + error, 2));
    return worst_;
  }

 private:
  /// What needs which check is the same for all wave sizes: one device is asked.
  void test(const MutantFile& file, const std::string& device, bool is_first) {
    const SelftestChoice choice{device, modes_, options_.seeds, options_.without, is_first};
    const SelftestSummary summary = selftest(file, choice, run_.session());
    if (!summary.passed() && !summary.interrupted)
      worst_ = worst_of(worst_, ExitCode::verification_failed);
    if (global_.json)
      documents_.push_back(to_json(summary));
    else
      print_summary(global_, options_, summary, modes_);
    summaries_.push_back(summary);
  }

  const GlobalOptions& global_;
  const SelftestOptions& options_;
  RunSession run_;
  std::vector<ProofMode> modes_;
  std::vector<SelftestSummary> summaries_;
  ExitCode worst_ = ExitCode::pass;
  Json documents_ = Json::array();
  std::vector<std::string> errors_;
};

}  // namespace

ExitCode selftest_command(const GlobalOptions& global, const SelftestOptions& options) {
  add_test_families();
  const std::vector<std::string> devices = devices_or_both(options.devices);
  const std::vector<std::string> families = families_to_test(options.family);
  SelftestRun run(global, options);
  for (const std::string& family : families) run.test(family, devices);
  const bool everything = options.family.empty() && options.without.empty();
  if (everything && !interrupted()) run.check_groups_are_proven();
  if (!options.docs.empty() && !interrupted()) run.write_docs();
  return run.end();
}

}  // namespace fusetune
