#include "harness/search/model_strategy.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "harness/search/time_model.hpp"

namespace fusetune {

namespace {

/// A prediction costs about a microsecond per tried point: of more than these the rest waits.
constexpr std::size_t kCandidatesMax = 20000;
/// So many of the fastest points have all of their neighbours among the candidates.
constexpr std::size_t kCentres = 8;
/// With fewer times than this even the additive part is a guess.
constexpr std::size_t kTimesMin = 4;

}  // namespace

std::vector<std::size_t> ModelStrategy::propose(const Trials& trials, std::size_t count) {
  std::vector<std::size_t> points;
  std::vector<double> times;
  double slowest = 0;
  for (const std::size_t point : trials.tried())
    if (const auto time = trials.time(point)) {
      points.push_back(point);
      times.push_back(std::log(*time));
      slowest = times.size() == 1 ? times[0] : std::max(slowest, times.back());
    }
  std::vector<std::size_t> list;
  if (times.size() < kTimesMin) {
    shuffled_.fill(trials, count, list);
    return list;
  }
  // What fails is no better than the slowest: others like it may fail as well.
  for (const std::size_t point : trials.tried())
    if (trials.is_given_up(point)) {
      points.push_back(point);
      times.push_back(slowest);
    }
  TimeModel model(space_);
  model.fit(points, Eigen::Map<const Eigen::VectorXd>(times.data(),
                                                      static_cast<Eigen::Index>(times.size())));
  list = model.best_batch(candidates(trials), count);
  shuffled_.fill(trials, count, list);
  return list;
}

std::vector<std::size_t> ModelStrategy::candidates(const Trials& trials) const {
  std::vector<std::size_t> list;
  shuffled_.fill(trials, kCandidatesMax, list);
  if (list.size() == trials.untried_count()) return list;
  std::unordered_set<std::size_t> listed(list.begin(), list.end());
  const std::vector<std::size_t> fastest = worth_racing(trials, 0, kCentres);
  for (const std::size_t centre : fastest)
    for (const std::size_t point : space_.neighbours(centre))
      if (!trials.is_tried(point) && listed.insert(point).second) list.push_back(point);
  return list;
}

}  // namespace fusetune
