#include "harness/search/local_strategy.hpp"

#include <algorithm>
#include <unordered_set>

namespace fusetune {

std::vector<std::size_t> LocalStrategy::propose(const Trials& trials, std::size_t count) {
  std::vector<std::size_t> list;
  const std::vector<std::size_t> points = standings(trials);
  // Of neighbours that are all known none is faster than the fastest: a local optimum.
  if (!points.empty()) list = untried_neighbours(points.front(), trials);
  if (list.empty()) {
    begun_at_ = trials.tried().size();
    shuffled_.fill(trials, count, list);
    return list;
  }
  // A batch has room for more than one point's neighbours: those of the next.
  std::unordered_set<std::size_t> listed(list.begin(), list.end());
  for (std::size_t i = 1; i < points.size() && list.size() < count; ++i)
    for (const std::size_t point : untried_neighbours(points[i], trials))
      if (listed.insert(point).second) list.push_back(point);
  if (list.size() > count) list.resize(count);
  shuffled_.fill(trials, count, list);
  return list;
}

std::vector<std::size_t> LocalStrategy::standings(const Trials& trials) const {
  std::vector<std::size_t> points;
  for (std::size_t i = begun_at_; i < trials.tried().size(); ++i)
    if (trials.time(trials.tried()[i])) points.push_back(trials.tried()[i]);
  std::stable_sort(points.begin(), points.end(), [&trials](std::size_t a, std::size_t b) {
    return *trials.time(a) < *trials.time(b);
  });
  return points;
}

std::vector<std::size_t> LocalStrategy::untried_neighbours(std::size_t point,
                                                           const Trials& trials) const {
  std::vector<std::size_t> list = space_.neighbours(point);
  std::erase_if(list, [&trials](std::size_t one) { return trials.is_tried(one); });
  // The order of the axes says nothing of which step helps.
  std::sort(list.begin(), list.end(),
            [this](std::size_t a, std::size_t b) { return shuffled_.rank(a) < shuffled_.rank(b); });
  return list;
}

}  // namespace fusetune
