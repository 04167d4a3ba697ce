#include "harness/tune/selftest.hpp"

#include <fmt/format.h>

#include "harness/base/files.hpp"
#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
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
    if (!mutant.killed) by = by.empty() ? "NOTHING" : by + " (not said)";
    table.add({mutant.name, by, mutant.about});
  }
  fmt::print("{} on {}\n{}", family, device, table.text(kLineWidth));
  for (const MutantVerdict& mutant : summary.mutants)
    if (!mutant.killed) fmt::print("  {}: {}\n", mutant.name, mutant.message);
  fmt::print("{} of {} killed; {} of the shipped kernel, {}\n\n", killed,
             counted(static_cast<long long>(summary.mutants.size()), "mutant"),
             counted(summary.true_runs, "proof"),
             counted(static_cast<long long>(summary.false_alarms.size()), "false alarm"));
  for (const std::string& alarm : summary.false_alarms) fmt::print("  false alarm: {}\n", alarm);
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
              {"mutants", std::move(mutants)},
              {"true_runs", summary.true_runs},
              {"false_alarms", summary.false_alarms},
              {"passed", summary.passed()}};
}

}  // namespace

ExitCode selftest_command(const GlobalOptions& global, const SelftestOptions& options) {
  const std::vector<std::string> devices =
      options.devices.empty() ? std::vector<std::string>{"host-w64", "host-w32"} : options.devices;
  const std::vector<std::string> families =
      options.family.empty() ? family_names() : std::vector<std::string>{options.family};
  bool all_passed = true;
  Json documents = Json::array();
  RunSession run(global, "selftest");
  for (const std::string& family : families) {
    find_family(family);
    const std::vector<Mutant> mutants =
        load_mutants(project_root() / "tests" / "mutants" / (family + ".yaml"));
    for (const std::string& device : devices) {
      const SelftestSummary summary = selftest(mutants, device, options.seeds, run.session());
      if (summary.interrupted) return ExitCode::interrupted;
      all_passed = all_passed && summary.passed();
      if (global.json)
        documents.push_back(selftest_json(summary, family, device));
      else
        print_selftest(summary, family, device);
    }
  }
  if (global.json) fmt::print("{}\n", documents.dump(2));
  return all_passed ? ExitCode::pass : ExitCode::verification_failed;
}

}  // namespace fusetune
