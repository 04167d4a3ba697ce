#pragma once
// What is known of the points of a space: which were tried, and what came of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fusetune {

class Trials {
 public:
  explicit Trials(std::size_t points) : states_(points, State::untried), times_(points, 0) {}

  std::size_t size() const { return states_.size(); }
  /// The point is being tried: nobody else has to.
  void begin(std::size_t point);
  /// It took so long, in whatever unit all of them have; above 0. The first time counts.
  void give_time(std::size_t point, double time);
  /// It will have no time: it did not compile, was not right, or broke a rule.
  void give_up(std::size_t point);

  bool is_tried(std::size_t point) const { return states_[point] != State::untried; }
  std::optional<double> time(std::size_t point) const;
  bool is_given_up(std::size_t point) const { return states_[point] == State::given_up; }
  /// In the order in which they were begun.
  const std::vector<std::size_t>& tried() const { return tried_; }
  std::size_t untried_count() const { return size() - tried_.size(); }
  /// The fastest, the earlier of equals; nothing before the first time.
  std::optional<std::size_t> best() const;

 private:
  enum class State : std::uint8_t { untried, under_way, timed, given_up };
  std::vector<State> states_;
  std::vector<double> times_;
  std::vector<std::size_t> tried_;
};

/// What is worth a race: the tried points with a time at most 1 + cut times the best, and at least
/// the `least` fastest ones. In the order of the space.
std::vector<std::size_t> worth_racing(const Trials& trials, double cut, std::size_t least);

}  // namespace fusetune
