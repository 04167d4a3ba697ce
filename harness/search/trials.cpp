#include "harness/search/trials.hpp"

#include <algorithm>

namespace fusetune {

void Trials::begin(std::size_t point) {
  if (is_tried(point)) return;
  states_[point] = State::under_way;
  tried_.push_back(point);
}

void Trials::give_time(std::size_t point, double time) {
  begin(point);
  if (states_[point] == State::timed) return;
  states_[point] = State::timed;
  times_[point] = time;
}

void Trials::give_up(std::size_t point) {
  begin(point);
  if (states_[point] == State::under_way) states_[point] = State::given_up;
}

std::optional<double> Trials::time(std::size_t point) const {
  if (states_[point] != State::timed) return std::nullopt;
  return times_[point];
}

std::optional<std::size_t> Trials::best() const {
  std::optional<std::size_t> best;
  for (const std::size_t point : tried_)
    if (states_[point] == State::timed && (!best || times_[point] < times_[*best])) best = point;
  return best;
}

std::vector<std::size_t> worth_racing(const Trials& trials, double cut, std::size_t least) {
  std::vector<std::size_t> timed;
  for (const std::size_t point : trials.tried())
    if (trials.time(point)) timed.push_back(point);
  std::stable_sort(timed.begin(), timed.end(), [&trials](std::size_t a, std::size_t b) {
    return *trials.time(a) < *trials.time(b);
  });
  std::size_t count = std::min(least, timed.size());
  while (count < timed.size() && *trials.time(timed[count]) <= (1 + cut) * *trials.time(timed[0]))
    ++count;
  timed.resize(count);
  std::sort(timed.begin(), timed.end());
  return timed;
}

}  // namespace fusetune
