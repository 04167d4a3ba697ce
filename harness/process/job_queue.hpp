#pragma once
// Jobs that wait, the longest first: one that is begun last and runs long keeps all other workers
// waiting. What a job will take is told by others of its kind.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "harness/process/worker_pool.hpp"

namespace fusetune {

class JobQueue {
 public:
  void push(Job job);
  /// One that was taken and not begun: it comes first.
  void put_back(Job job);
  /// The next one that may run beside others, or must not.
  std::optional<Job> take(bool alone);

  bool has(bool alone) const { return alone ? !alone_.empty() : beside_ > 0; }
  std::size_t size() const { return beside_ + alone_.size(); }

  /// What a job of this kind took.
  void saw(const std::string& kind, double wall_ms);
  /// The longest step of this kind, from one message of the worker to the next.
  void saw_step(const std::string& kind, double wall_ms);
  double slowest_step_ms(const std::string& kind) const;  ///< 0 for none

 private:
  struct Entry {
    std::int64_t order = 0;
    Job job;
  };
  struct Seen {
    double sum_ms = 0;
    std::int64_t count = 0;
    double slowest_step_ms = 0;
  };
  /// Jobs of one kind with equal needs, in the order in which they came.
  using Line = std::deque<Entry>;
  using LineKey = std::pair<std::string, std::pair<double, double>>;  ///< kind, expected, follow

  double length_ms(const LineKey& key) const;

  std::map<LineKey, Line> lines_;  ///< none is empty
  std::size_t beside_ = 0;
  std::deque<Job> alone_;
  std::deque<Job> put_back_;
  std::map<std::string, Seen> seen_;
  std::int64_t next_ = 0;
};

}  // namespace fusetune
