#include "harness/process/job_queue.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace fusetune {

void JobQueue::push(Job job) {
  if (job.company != Company::any) {
    in_turn(job.company).push_back(std::move(job));
    return;
  }
  LineKey key{job.kind, {job.expected_ms, job.follow_ms}};
  const Seen& seen = seen_[job.kind];  // stays where it is
  Line& line = lines_[std::move(key)];
  line.seen = &seen;
  line.jobs.push_back({next_++, std::move(job)});
  ++beside_;
}

void JobQueue::put_back(Job job) {
  if (job.company != Company::any) {
    in_turn(job.company).push_front(std::move(job));
    return;
  }
  put_back_.push_front(std::move(job));
  ++beside_;
}

std::optional<Job> JobQueue::take(Company company, const std::string& own,
                                  const std::set<std::string>& others) {
  if (!has(company)) return std::nullopt;
  std::optional<Job> job;
  if (company != Company::any || !put_back_.empty()) {
    std::deque<Job>& queue = company == Company::any ? put_back_ : in_turn(company);
    job = std::move(queue.front());
    queue.pop_front();
    if (company == Company::any) --beside_;
    return job;
  }
  // There are a few kinds, and maybe thousands of jobs.
  const auto rank = [&](const std::string& kind, const Line& line) {
    if (!line.jobs.front().job.stays || (kind != own && others.count(kind) == 0)) return 1;
    return kind == own ? 2 : 0;
  };
  const auto priority = [&](const auto& line) {
    return std::tuple(rank(line.first.first, line.second), length_ms(line.first, *line.second.seen),
                      -line.second.jobs.front().order);
  };
  const auto best = std::max_element(
      lines_.begin(), lines_.end(),
      [&](const auto& a, const auto& b) { return priority(a) < priority(b); });
  job = std::move(best->second.jobs.front().job);
  best->second.jobs.pop_front();
  if (best->second.jobs.empty()) lines_.erase(best);
  --beside_;
  return job;
}

double JobQueue::length_ms(const LineKey& key, const Seen& seen) {
  const auto& [expected_ms, follow_ms] = key.second;
  if (seen.count == 0) return expected_ms + follow_ms;
  return seen.sum_ms / static_cast<double>(seen.count) + follow_ms;
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
