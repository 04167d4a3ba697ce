#include "harness/selftest/selftest.hpp"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/text_table.hpp"
#include "harness/cli/timed_text.hpp"
#include "harness/device/gpu.hpp"

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

/// With the bugs that this mode cannot find here, which count as no kill.
void print_score(const SelftestSummary& summary, ProofMode mode) {
  const auto out_of_reach = summary.out_of_reach(mode);
  fmt::print("{}: {} of {} killed{}\n", to_string(mode), summary.killed(mode),
             counted(summary.within_reach(mode), "mutant"),
             out_of_reach.empty() ? "" : fmt::format(", {} out of reach:", out_of_reach.size()));
  for (const MutantVerdict* verdict : out_of_reach)
    fmt::print("{}", wrapped(fmt::format("  {}: {}{}", verdict->name, verdict->out_of_reach,
                                         verdict->check.empty() ? ""
                                                                : ", though found this time by " +
                                                                      verdict->found_by()),
                             4));
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
  for (const ProofMode mode : modes) print_score(summary, mode);
  fmt::print("{} of the shipped kernel, {}\n\n", counted(summary.true_runs, "proof"),
             counted(static_cast<long long>(summary.false_alarms.size()), "false alarm"));
  for (const std::string& alarm : summary.false_alarms)
    fmt::print("{}", wrapped(fmt::format("  false alarm: {}", alarm), 4));
}

/// A device with what is run on it.
struct TestedDevice {
  std::string name;
  std::vector<ProofMode> modes;
  bool asked = false;                   ///< what needs which check
  std::unique_ptr<WorkerPool> workers;  ///< nothing: they are yet to be started
};

/// Throws UserError where a mode was asked for that a device does not have.
std::vector<ProofMode> modes_on(const std::string& device, const std::vector<std::string>& names) {
  const std::vector<ProofMode> all = modes_of(target_for(device));
  std::vector<ProofMode> modes;
  for (const std::string& name : names) {
    const ProofMode mode = mode_from_string(name);
    if (std::find(all.begin(), all.end(), mode) == all.end())
      throw UserError(
          fmt::format("{} has no {} mode: code that tells of each of its accesses is made for host "
                      "devices alone; say --mode fast, or leave it out",
                      device, name));
    modes.push_back(mode);
  }
  std::sort(modes.begin(), modes.end());
  return modes.empty() ? all : modes;
}

/// The families and devices one after the other; what is wrong with one keeps no other from its
/// test.
class SelftestRun {
 public:
  SelftestRun(const GlobalOptions& global, const SelftestOptions& options,
              const std::vector<std::string>& devices)
      : global_(global), options_(options), run_(global, "selftest") {
    if (!options.without.empty()) find_check_group(options.without);
    for (const std::string& name : devices) {
      TestedDevice& device = devices_.emplace_back();
      device.name = name;
      device.modes = modes_on(name, options.modes);
      // It is the same for all wave sizes: one device is asked. No GPU: the order of its threads is
      // nobody's choice, so what is found with some luck shows no need of a check.
      device.asked = !is_gpu(name) && asked() == nullptr;
    }
  }

  void test(const std::string& family) {
    try {
      MutantFile file = mutants_of(family);
      if (!options_.mutants.empty()) keep_named(file, options_.mutants);
      for (TestedDevice& device : devices_)
        if (!interrupted()) test(file, device);
    } catch (const UserError& error) {
      for (TestedDevice& device : devices_) device.workers.reset();
      worst_ = worst_of(worst_, ExitCode::usage);
      errors_.emplace_back(error.what());
      documents_.push_back(
          {{"family", family}, {"interrupted", false}, {"passed", false}, {"error", error.what()}});
    }
  }

  /// On devices that have a path that is timed; where nothing else was asked for, it is an error to
  /// have none.
  void test_timed() {
    for (const TestedDevice& device : devices_) {
      if (interrupted() || (!options_.timed && !is_gpu(device.name))) continue;
      try {
        const TimedSummary summary =
            timed_selftest(timed_choice(options_, device.name), run_.session());
        if (!summary.passed() && !summary.interrupted)
          worst_ = worst_of(worst_, ExitCode::verification_failed);
        if (global_.json)
          documents_.push_back(to_json(summary));
        else
          print_timed(global_, summary);
      } catch (const UserError& error) {
        worst_ = worst_of(worst_, ExitCode::usage);
        errors_.emplace_back(error.what());
      }
    }
  }

  /// Of a run over everything: every group of checks is needed by some mutant.
  void check_groups_are_proven() {
    if (asked() == nullptr) return;
    for (const UnprovenGroup& group : unproven_groups(summaries_, asked()->modes)) {
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
  const TestedDevice* asked() const {
    const auto found = std::find_if(devices_.begin(), devices_.end(),
                                    [](const TestedDevice& device) { return device.asked; });
    return found == devices_.end() ? nullptr : &*found;
  }

  void test(const MutantFile& file, TestedDevice& device) {
    const SelftestChoice choice{device.name, device.modes, options_.seeds, options_.without,
                                device.asked};
    // On a GPU it takes longer to start them than to prove; on the host a bug may have spoiled
    // their memory, and new ones cost nothing.
    if (!device.workers || !is_gpu(device.name))
      device.workers =
          std::make_unique<WorkerPool>(worker_role("device", job_count(run_.session().options)));
    const SelftestSummary summary = selftest(file, choice, run_.session(), *device.workers);
    if (!summary.passed() && !summary.interrupted)
      worst_ = worst_of(worst_, ExitCode::verification_failed);
    if (global_.json)
      documents_.push_back(to_json(summary));
    else
      print_summary(global_, options_, summary, device.modes);
    summaries_.push_back(summary);
  }

  const GlobalOptions& global_;
  const SelftestOptions& options_;
  RunSession run_;
  std::vector<TestedDevice> devices_;
  std::vector<SelftestSummary> summaries_;
  ExitCode worst_ = ExitCode::pass;
  Json documents_ = Json::array();
  std::vector<std::string> errors_;
};

}  // namespace

ExitCode selftest_command(const GlobalOptions& global, const SelftestOptions& options) {
  add_test_families();
  const std::vector<std::string> devices = devices_or_both(options.devices);
  if (!options.mutants.empty() && options.family.empty() && !options.timed)
    throw UserError("--mutant NAME is one of a family, or of --timed: say which");
  SelftestRun run(global, options, devices);
  const bool everything = options.family.empty() && options.without.empty() && !options.timed;
  if (!options.timed)
    for (const std::string& family : families_to_test(options.family)) run.test(family);
  if (options.timed || everything) run.test_timed();
  if (everything && !interrupted()) run.check_groups_are_proven();
  if (!options.docs.empty() && !interrupted()) run.write_docs();
  return run.end();
}

}  // namespace fusetune
