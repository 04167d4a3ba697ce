#include "tests/search/replay.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <random>

#include "harness/search/budget.hpp"

namespace fusetune::test {

double replay(const RecordedSpace& recorded, SearchStrategy& strategy, std::size_t evaluations,
              std::uint64_t seed) {
  std::mt19937_64 random(seed + 1000003);
  Trials trials(recorded.space.size());
  evaluations = std::min(evaluations, recorded.space.size());
  while (trials.tried().size() < evaluations) {
    const auto batch = strategy.propose(trials, next_batch(evaluations, trials.tried().size(), 1));
    if (batch.empty()) break;
    for (const std::size_t point : batch) {
      const std::vector<double>& samples = recorded.samples_us[point];
      std::array<double, 3> visits{};
      for (double& visit : visits) visit = samples[random() % samples.size()];
      std::sort(visits.begin(), visits.end());
      trials.give_time(point, visits[1]);
    }
  }
  // Where all of a space is tried there is no search, and everything is raced.
  const bool is_whole = trials.untried_count() == 0;
  double best = std::numeric_limits<double>::infinity();
  for (const std::size_t point :
       is_whole ? trials.tried() : worth_racing(trials, kRaceCut, kRaceLeast))
    best = std::min(best, recorded.us[point]);
  return best / recorded.best_us() - 1;
}

}  // namespace fusetune::test
