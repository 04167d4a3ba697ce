#include <fmt/format.h>

#include "harness/cli/commands.hpp"
#include "harness/cli/run_session.hpp"
#include "harness/cli/summary.hpp"
#include "harness/tune/golden_stage.hpp"

namespace fusetune {

namespace {

bool passed(const GoldenVerdict& verdict) {
  return verdict.reference.ok() && verdict.variants > 0 && verdict.failed == 0;
}

std::string verdicts_text(const GoldenSummary& summary) {
  std::string out;
  for (const GoldenVerdict& verdict : summary.verdicts) {
    std::int64_t elements = 0;
    for (const CheckCount& check : verdict.checks)
      if (check.name == "exact") elements += check.comparisons;
    out +=
        fmt::format("{:8} reference {}, {} of {} equal, {} elements\n  {}\n", verdict.name,
                    verdict.reference.ok() ? "equal" : "DIFFERS", verdict.variants - verdict.failed,
                    counted(verdict.variants, "variant"), elements, verdict.case_key);
  }
  return out;
}

Json summary_json(const std::string& file, const std::string& device,
                  const GoldenSummary& summary) {
  Json cases = Json::array();
  for (const GoldenVerdict& verdict : summary.verdicts)
    cases.push_back({{"name", verdict.name},
                     {"case", verdict.case_key},
                     {"reference", std::string(to_string(verdict.reference.status))},
                     {"variants", verdict.variants},
                     {"failed", verdict.failed},
                     {"failures", verdict.failures},
                     {"passed", passed(verdict)}});
  return Json{{"file", file},
              {"device", device},
              {"cases", std::move(cases)},
              {"unmapped", summary.unmapped}};
}

void print_failures(const GoldenSummary& summary) {
  for (const GoldenVerdict& verdict : summary.verdicts) {
    if (!verdict.reference.ok())
      fmt::print("{}: the reference differs from the file: {}\n", verdict.name,
                 verdict.reference.message);
    for (const std::string& failure : verdict.failures)
      fmt::print("{}", wrapped(fmt::format("{}: {}", verdict.name, failure), 4));
  }
  if (!summary.unmapped.empty())
    fmt::print("not compared, no family maps them: {} (first: {})\n",
               counted(static_cast<long long>(summary.unmapped.size()), "case"),
               summary.unmapped.front());
}

}  // namespace

ExitCode golden_command(const GlobalOptions& global, const GoldenOptions& options) {
  const std::vector<std::string> devices =
      options.devices.empty() ? std::vector<std::string>{"host-w64", "host-w32"} : options.devices;
  std::size_t all = 0;
  std::size_t good = 0;
  Json documents = Json::array();
  RunSession run(global, "golden");
  for (const auto& file : options.files)
    for (const std::string& device : devices) {
      const GoldenSummary summary =
          verify_golden(file, parse_space(options.space), device, run.session());
      if (summary.interrupted) return ExitCode::interrupted;
      for (const GoldenVerdict& verdict : summary.verdicts) {
        ++all;
        if (passed(verdict)) ++good;
      }
      if (global.json) {
        documents.push_back(summary_json(file.string(), device, summary));
        continue;
      }
      fmt::print("{} on {}, space {}\n{}", file.string(), device, options.space,
                 verdicts_text(summary));
      print_failures(summary);
    }
  if (global.json)
    fmt::print("{}\n", documents.dump(2));
  else
    fmt::print("{} of {} equal, byte for byte\n", good,
               counted(static_cast<long long>(all), "case"));
  return all > 0 && good == all ? ExitCode::pass : ExitCode::verification_failed;
}

}  // namespace fusetune
