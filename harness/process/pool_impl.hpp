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
  PoolClock::time_point deadline;  ///< of the job
  std::chrono::milliseconds limit{0};
  std::int64_t begun_before = 0;  ///< jobs that the worker had begun before this one
  bool begun = false;             ///< this one; known when the worker has ended
  bool has_answered = false;      ///< the worker has finished an earlier job
  std::string kind;               ///< of the last job
};

struct WorkerPool::Impl {
  WorkerPoolOptions options;
  JobQueue queue;
  std::vector<Slot> slots;
  std::vector<pid_t> lingering;  ///< killed, but the kernel has not let go of them yet
  int starts_in_vain = 0;
  bool in_run = false;

  std::size_t running() const;
  bool runs(Company company) const;  ///< a job that wants this company
  Job take(Company company, const Slot& slot);

  /// Begins the next job that wants this company on a free worker. False when none waits, none may
  /// be begun here now, or no worker is free. Throws UserError when no worker can be started.
  bool start_next(Company company);

  // Waiting.
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
  /// What others of its kind tell, nothing while none does.
  std::optional<std::chrono::milliseconds> learned_limit(const Job& job,
                                                         double slowest_so_far_ms) const;
  std::chrono::milliseconds step_limit(const Slot& slot, const StepNote& note) const;
  /// The limit that the job has passed, its own or that of what its worker noted.
  std::optional<std::chrono::milliseconds> passed_limit(const Slot& slot) const;

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
