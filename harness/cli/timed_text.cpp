#include "harness/cli/timed_text.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "harness/base/error.hpp"
#include "harness/cli/command_line.hpp"
#include "harness/cli/text_table.hpp"

namespace fusetune {

namespace {

/// 0.1 MB, of which a sweep of the ring is thousands; and 100 MB, longer than any launch costs.
constexpr const char* kBrief = "split_reshape_cat(nk=16,nv=32,tokens=2)";
constexpr const char* kLengthy = "split_reshape_cat(nk=16,nv=32,tokens=2048)";

std::string cell_of(const PlantVerdict& verdict) {
  if (!verdict.out_of_reach.empty()) return "out of reach";
  if (verdict.found_by.empty()) return "NOTHING";
  return verdict.found_by + (verdict.found ? "" : " (not said)");
}

std::string course_of(const PlantVerdict& verdict) {
  std::string text = verdict.path;
  if (verdict.checked > 0) text += fmt::format(", {} compared", verdict.checked);
  if (verdict.ratio > 0) text += fmt::format(", {:.2f} x", verdict.ratio);
  return text.empty() ? "-" : text;
}

}  // namespace

TimedChoice timed_choice(const SelftestOptions& options, const std::string& device) {
  if (!has_timed_path(target_for(device)))
    throw UserError(
        fmt::format("{} has no queue that is timed: its launches are done when they "
                    "return; say --device hip:N",
                    device));
  const bool given = !options.timed_case.empty();
  return {device, given ? options.timed_case : kBrief, given ? options.timed_case : kLengthy,
          options.timed ? options.mutants : std::vector<std::string>{}};
}

void print_timed(const GlobalOptions& global, const TimedSummary& summary) {
  TextTable table({"planted", "found by", "the race", "what it does"});
  for (const PlantVerdict& verdict : summary.plants)
    table.add({verdict.name, cell_of(verdict), course_of(verdict), verdict.about});
  fmt::print("the path that is timed, on {}\n{}", summary.device, table.text(kLineWidth));
  for (const PlantVerdict& verdict : summary.plants) {
    if (!verdict.false_alarm.empty())
      fmt::print("{}", wrapped(fmt::format("  false alarm beside {}: {}", verdict.name,
                                           verdict.false_alarm),
                               4));
    if (!verdict.out_of_reach.empty())
      fmt::print("{}", wrapped(fmt::format("  {}: {}", verdict.name, verdict.out_of_reach), 4));
    if (verdict.found || !verdict.out_of_reach.empty()) continue;
    fmt::print("{}    again: {}\n",
               wrapped(fmt::format("  {}: {}", verdict.name, verdict.message), 4),
               command_text(global, fmt::format("selftest --timed --mutant {} --device {}",
                                                verdict.name, summary.device)));
  }
  fmt::print("timed: {} of {} found\n\n", summary.found(),
             counted(summary.within_reach(), "planted bug"));
}

}  // namespace fusetune
