#include "harness/process/job_queue.hpp"

#include <algorithm>
#include <utility>

namespace fusetune {

void JobQueue::push(Job job) {
  if (job.alone) {
    alone_.push_back(std::move(job));
    return;
  }
  LineKey key{job.kind, {job.expected_ms, job.follow_ms}};
  lines_[std::move(key)].push_back({next_++, std::move(job)});
  ++beside_;
}

void JobQueue::put_back(Job job) {
  if (job.alone) {
    alone_.push_front(std::move(job));
    return;
  }
  put_back_.push_front(std::move(job));
  ++beside_;
}

std::optional<Job> JobQueue::take(bool alone) {
  if (!has(alone)) return std::nullopt;
  std::optional<Job> job;
  if (alone || !put_back_.empty()) {
    std::deque<Job>& queue = alone ? alone_ : put_back_;
    job = std::move(queue.front());
    queue.pop_front();
    if (!alone) --beside_;
    return job;
  }
  // There are a few kinds, and maybe thousands of jobs.
  auto best = lines_.begin();
  double best_ms = length_ms(best->first);
  for (auto line = std::next(best); line != lines_.end(); ++line) {
    const double ms = length_ms(line->first);
    if (ms < best_ms) continue;
    if (ms == best_ms && line->second.front().order > best->second.front().order) continue;
    best = line;
    best_ms = ms;
  }
  job = std::move(best->second.front().job);
  best->second.pop_front();
  if (best->second.empty()) lines_.erase(best);
  --beside_;
  return job;
}

double JobQueue::length_ms(const LineKey& key) const {
  const auto& [expected_ms, follow_ms] = key.second;
  const auto seen = seen_.find(key.first);
  if (seen == seen_.end() || seen->second.count == 0) return expected_ms + follow_ms;
  return seen->second.sum_ms / static_cast<double>(seen->second.count) + follow_ms;
}

void JobQueue::saw(const std::string& kind, double wall_ms) {
  if (kind.empty()) return;  // jobs that said nothing of themselves keep their order
  Seen& seen = seen_[kind];
  seen.sum_ms += wall_ms;
  ++seen.count;
}

void JobQueue::saw_step(const std::string& kind, double wall_ms) {
  if (kind.empty()) return;
  double& slowest = seen_[kind].slowest_step_ms;
  slowest = std::max(slowest, wall_ms);
}

double JobQueue::slowest_step_ms(const std::string& kind) const {
  const auto seen = seen_.find(kind);
  return seen == seen_.end() ? 0 : seen->second.slowest_step_ms;
}

}  // namespace fusetune
