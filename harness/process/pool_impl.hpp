#pragma once
// What a pool consists of: its queue, the places of its workers, and how jobs begin and end. For
// the loop that runs several pools.

#include <optional>
#include <string>
#include <vector>

#include "harness/process/job_queue.hpp"
#include "harness/process/worker.hpp"

namespace fusetune {

using PoolClock = std::chrono::steady_clock;

/// A place for a worker, with the job that it does.
struct Slot {
  std::unique_ptr<Worker> worker;
  std::optional<Job> job;
  PoolClock::time_point began;
  PoolClock::time_point step_began;
  PoolClock::time_point deadline;  ///< of the step
  std::chrono::milliseconds limit{0};
  bool job_taken = false;     ///< the worker has said that it began
  bool has_answered = false;  ///< the worker has finished an earlier job
  bool more = false;          ///< messages were left in its buffer
};

struct WorkerPool::Impl {
  WorkerPoolOptions options;
  JobQueue queue;
  std::vector<Slot> slots;
  std::vector<pid_t> lingering;  ///< killed, but the kernel has not let go of them yet
  int starts_in_vain = 0;
  bool in_run = false;

  std::size_t running() const;
  bool runs_alone() const;  ///< a job beside which nothing may run

  /// Begins the next job of one sort on a free worker. False when none waits or no worker is free.
  /// Throws UserError when no worker can be started.
  bool start_next(bool alone);

  // Waiting.
  bool has_more() const;
  PoolClock::time_point next_deadline() const;
  void add_poll_entries(std::vector<pollfd>& entries) const;
  void take_poll_results(const pollfd* entries);

  /// Silent deaths, deadlines and notes; these are not looked at each time.
  void look_after_all();
  void look_after_late();

  void cancel_all();
  void dismiss_all();
  void reap_lingering(std::chrono::milliseconds limit);

 private:
  void give_job(Slot& slot, Job job);
  void begin_step(Slot& slot);
  /// The limit that the job has passed, of its step or of what its worker noted.
  static std::optional<std::chrono::milliseconds> passed_limit(const Slot& slot);

  // What comes back.
  void read_messages(Slot& slot);
  void handle(Slot& slot, Json message);
  void look_after(Slot& slot);

  // Ends. Each clears the slot before the callback, which may throw or submit.
  std::optional<ExitState> end_worker(Slot& slot, std::chrono::milliseconds grace, JobEnd* end);
  void lose(Slot& slot, const std::string& complaint);
  void time_out(Slot& slot, std::chrono::milliseconds limit);
  void finish(Slot& slot, JobEnd end);
  void try_again(Job job, std::chrono::milliseconds limit);
};

}  // namespace fusetune
