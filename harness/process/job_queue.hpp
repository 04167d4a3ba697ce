#pragma once
// Jobs that wait, the longest first: one that is begun last and runs long keeps all other workers
// waiting. What a job will take is told by others of its kind.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "harness/process/worker_pool.hpp"

namespace fusetune {

class JobQueue {
 public:
  void push(Job job);
  /// One that was taken and not begun: it comes first.
  void put_back(Job job);
  /// The next one of those that want this company. Of kinds that stay with their worker, the
  /// worker's `own` comes first and those of `others` last.
  std::optional<Job> take(Company company, const std::string& own = "",
                          const std::set<std::string>& others = {});

  bool has(Company company) const {
    return company == Company::any ? beside_ > 0 : !in_turn(company).empty();
  }
  std::size_t size() const { return beside_ + own_pool_.size() + alone_.size(); }

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
  struct Line {
    const Seen* seen = nullptr;  ///< of the kind
    std::deque<Entry> jobs;
  };
  using LineKey = std::pair<std::string, std::pair<double, double>>;  ///< kind, expected, follow

  static double length_ms(const LineKey& key, const Seen& seen);
  const std::deque<Job>& in_turn(Company company) const {
    return company == Company::none ? alone_ : own_pool_;
  }
  std::deque<Job>& in_turn(Company company) {
    return company == Company::none ? alone_ : own_pool_;
  }

  std::map<LineKey, Line> lines_;  ///< none is empty
  std::size_t beside_ = 0;
  std::deque<Job> own_pool_;
  std::deque<Job> alone_;
  std::deque<Job> put_back_;
  std::map<std::string, Seen> seen_;
  std::int64_t next_ = 0;
};

}  // namespace fusetune
