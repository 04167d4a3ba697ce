#include "harness/tune/selftest.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "harness/base/error.hpp"
#include "harness/base/files.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/interrupt.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/selection.hpp"
#include "harness/cli/text_table.hpp"

namespace fusetune {

namespace {

void print_selftest(const SelftestSummary& summary, const std::string& family,
                    const std::string& device) {
  TextTable table({"mutant", "found by", "what it does"});
  std::size_t killed = 0;
  for (const MutantVerdict& mutant : summary.mutants) {
    if (mutant.killed) ++killed;
    std::string by = mutant.check;
    if (!mutant.killed && by.empty()) by = "NOTHING";
    if (!mutant.killed && !mutant.check.empty()) by += " (not said)";
    table.add({mutant.name, by, mutant.about});
  }
  fmt::print("{} on {}\n{}", family, device, table.text(kLineWidth));
  for (const MutantVerdict& mutant : summary.mutants)
    if (!mutant.killed)
      fmt::print("{}", wrapped(fmt::format("  {}: {}", mutant.name, mutant.message), 4));
  fmt::print("{} of {} killed; {} of the shipped kernel, {}\n\n", killed,
             counted(static_cast<long long>(summary.mutants.size()), "mutant"),
             counted(summary.true_runs, "proof"),
             counted(static_cast<long long>(summary.false_alarms.size()), "false alarm"));
  for (const std::string& check : summary.unproven_checks)
    fmt::print("  the check '{}' killed no mutant: nothing shows that it works\n", check);
  for (const std::string& alarm : summary.false_alarms)
    fmt::print("{}", wrapped(fmt::format("  false alarm: {}", alarm), 4));
}

Json selftest_json(const SelftestSummary& summary, const std::string& family,
                   const std::string& device) {
  Json mutants = Json::array();
  for (const MutantVerdict& mutant : summary.mutants)
    mutants.push_back({{"name", mutant.name},
                       {"killed", mutant.killed},
                       {"check", mutant.check},
                       {"status", std::string(to_string(mutant.status))},
                       {"message", mutant.message}});
  return Json{{"family", family},
              {"device", device},
              {"interrupted", summary.interrupted},
              {"mutants", std::move(mutants)},
              {"true_runs", summary.true_runs},
              {"false_alarms", summary.false_alarms},
              {"unproven_checks", summary.unproven_checks},
              {"passed", summary.passed()}};
}

}  // namespace

ExitCode selftest_command(const GlobalOptions& global, const SelftestOptions& options) {
  const std::vector<std::string> devices = devices_or_both(options.devices);
  if (!options.family.empty()) find_family(options.family);
  const std::vector<std::string> families =
      options.family.empty() ? family_names() : std::vector<std::string>{options.family};
  ExitCode worst = ExitCode::pass;
  Json documents = Json::array();
  std::vector<std::string> errors;
  RunSession run(global, "selftest");
  const auto test = [&](const std::string& family, const std::string& device) {
    const std::vector<Mutant> mutants =
        load_mutants(project_root() / "tests" / "mutants" / (family + ".yaml"));
    const SelftestSummary summary = selftest(mutants, device, options.seeds, run.session());
    if (!summary.passed() && !summary.interrupted)
      worst = worst_of(worst, ExitCode::verification_failed);
    if (global.json)
      documents.push_back(selftest_json(summary, family, device));
    else
      print_selftest(summary, family, device);
  };
  // What is wrong with one family does not keep the others from their test.
  for (const std::string& family : families) {
    try {
      for (const std::string& device : devices)
        if (!interrupted()) test(family, device);
    } catch (const UserError& error) {
      worst = worst_of(worst, ExitCode::usage);
      errors.emplace_back(error.what());
      documents.push_back(
          {{"family", family}, {"interrupted", false}, {"passed", false}, {"error", error.what()}});
    }
  }
  if (interrupted()) worst = ExitCode::interrupted;
  if (interrupted() && (documents.empty() || !documents.back()["interrupted"].get<bool>()))
    documents.push_back({{"interrupted", true}});
  if (global.json) fmt::print("{}\n", documents.dump(2));
  if (interrupted() && !global.json) fmt::print("interrupted: the rest was not tested\n");
  for (const std::string& error : errors) fmt::print(stderr, "{}", wrapped("error: " + error, 2));
  return worst;
}

}  // namespace fusetune
