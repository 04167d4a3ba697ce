// How often the gate's rules are wrong on pairs of kernels whose true ratio is known, and how often
// the rules of other tools are, on the same noise: "gate_error_rates [PAIRS]". A program of its
// own, because its figures are no times.

#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/gate/error_rates.hpp"

namespace fusetune::gate_rates {
namespace {

constexpr std::uint64_t kSeed = 7;
const std::vector<double> kRatios = {1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 1.08};

void print_gate(int pairs) {
  fmt::print("The gate: screening in one process, suspects in fresh ones\n\n");
  fmt::print("| true ratio | REGRESSION | PASS | INCONCLUSIVE | epochs | processes |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const double ratio : kRatios) {
    const Rates r = rates_of_gate(pairs, ratio, {}, kSeed);
    fmt::print("| {:.2f} | {:.4f} | {:.4f} | {:.4f} | {:.1f} | {:.1f} |\n", ratio,
               r.share(r.regressions), r.share(r.passes), r.share(r.open), r.mean_epochs,
               r.mean_processes);
  }
}

/// Called slower, of a rule over the epochs of one process.
void print_screen(const std::string& name, int pairs, const Rule& rule) {
  fmt::print("| {} |", name);
  for (const double ratio : kRatios) {
    const Rates r = rates_of_screen(pairs, ratio, rule, kSeed);
    fmt::print(" {:.3f} |", r.share(r.regressions));
  }
  fmt::print("\n");
}

void print_stored(const std::string& name, int pairs, int samples, const StoredRule& rule) {
  fmt::print("| {} |", name);
  for (const double ratio : kRatios)
    fmt::print(" {:.3f} |", share_called_slower(pairs, ratio, samples, rule, kSeed));
  fmt::print("\n");
}

void print_rules(int pairs) {
  fmt::print("\nCalled slower, by rule and true ratio\n\n| rule |");
  for (const double ratio : kRatios) fmt::print(" {:.2f} |", ratio);
  fmt::print("\n|---|");
  for (std::size_t i = 0; i < kRatios.size(); ++i) fmt::print("---|");
  fmt::print("\n| the gate |");
  for (const double ratio : kRatios) {
    const Rates r = rates_of_gate(pairs, ratio, {}, kSeed);
    fmt::print(" {:.3f} |", r.share(r.regressions));
  }
  fmt::print("\n");
  print_screen("its screening alone", pairs,
               [](std::span<const double> epochs) { return judge(epochs, {}); });
  print_screen("paired epochs, alpha not spent, 4 to 20 looks", pairs, judge_unspent);
  print_stored("stored times, fixed 3 %, medians of 100", pairs, 100, fixed_threshold(0.03));
  print_stored("stored times, fixed 5 %, medians of 100", pairs, 100, fixed_threshold(0.05));
  print_stored("stored times, Mann-Whitney, n = 20", pairs, 20, mann_whitney());
  print_stored("stored times, change above the lesser noise (nvbench's legacy rule), n = 100",
               pairs, 100, least_noise());
}

void print_coverage(int pairs) {
  fmt::print("\nHow many 95 % intervals hold the truth\n\n");
  fmt::print("| epochs | t over epochs | percentile bootstrap of the median |\n|---|---|---|\n");
  for (const int epochs : {3, 4, 6, 8, 12}) {
    const double t = coverage(
        pairs, epochs, [](std::span<const double> values) { return t_interval(values); }, kSeed);
    fmt::print("| {} | {:.3f} | {:.3f} |\n", epochs, t,
               coverage(pairs, epochs, percentile_bootstrap, kSeed));
  }
}

}  // namespace
}  // namespace fusetune::gate_rates

int main(int argc, char** argv) {
  const int pairs = argc > 1 ? std::atoi(argv[1]) : 2000;
  if (pairs < 1) {
    fmt::print(stderr, "gate_error_rates [PAIRS]\n");
    return 64;
  }
  fmt::print("{} pairs for each figure\n\n", pairs);
  fusetune::gate_rates::print_gate(pairs);
  fusetune::gate_rates::print_rules(pairs);
  fusetune::gate_rates::print_coverage(pairs);
  return 0;
}
