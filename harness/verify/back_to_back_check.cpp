#include <array>
#include <utility>

#include "harness/verify/further_checks.hpp"

namespace fusetune {

namespace {

/// False when the device failed.
bool run_both(Bench& bench, const Pass& first, const Pass& second, std::string_view where) {
  Findings found(bench.options().off);
  const std::array<Run, 2> runs{Run{&bench.arenas().at(Place::low), &first.initial},
                                Run{&bench.arenas().at(Place::high), &second.initial}};
  std::vector<TensorImages> actual = bench.run(runs, 0, &found);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    Pass pass = i == 0 ? first : second;
    pass.actual = std::move(actual[i]);
    bench.judge({&pass, 1}, nullptr, &found);
  }
  bench.findings().fold(found, Check::back_to_back, where);
  return !actual.empty();
}

}  // namespace

void check_back_to_back(Bench& bench, const Pass& one, const Pass& other) {
  if (run_both(bench, one, other, "of two launches without a synchronise between them"))
    run_both(bench, other, one, "of two such launches on the same pointers with new data");
}

}  // namespace fusetune
