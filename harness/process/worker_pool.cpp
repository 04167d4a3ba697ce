#include "harness/process/worker_pool.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <stdexcept>

#include "harness/process/worker.hpp"

namespace fusetune {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using How = JobEnd::How;

// How often stop, tick and silent deaths are looked at; the contract is ten times a second.
constexpr milliseconds kPoolTick{50};
// Messages taken from one worker in one go, so that one that floods cannot starve the others.
constexpr int kMessagesPerVisit = 100;
// From the end of a worker's pipe to its exit.
constexpr milliseconds kExitGrace{200};
// For idle workers to leave by themselves when the pool ends.
constexpr milliseconds kLeaveGrace{500};

/// A place for a worker, with the job that it does.
struct Slot {
  std::unique_ptr<Worker> worker;
  std::optional<Job> job;
  Clock::time_point began;
  Clock::time_point deadline;
  bool job_taken = false;     ///< the worker has said that it began
  bool has_answered = false;  ///< the worker has finished an earlier job
  bool more = false;          ///< messages were left in its buffer
};

/// A limit that means "never" must not overflow the clock.
Clock::time_point deadline_after(milliseconds limit) {
  return Clock::now() + std::min<milliseconds>(limit, std::chrono::hours(24 * 365));
}

}  // namespace

struct WorkerPool::Impl {
  WorkerPoolOptions options;
  std::deque<Job> queue;
  std::vector<Slot> slots;
  std::vector<pid_t> lingering;  ///< killed, but the kernel has not let go of them yet
  bool in_run = false;

  std::size_t running() const {
    return static_cast<std::size_t>(
        std::count_if(slots.begin(), slots.end(), [](const Slot& s) { return s.job.has_value(); }));
  }

  // Starting work.
  void assign_jobs();
  bool give_worker(Slot& slot);
  void give_job(Slot& slot);

  // Waiting.
  void wait(Clock::time_point next_tick);
  milliseconds time_to_wait(Clock::time_point next_tick) const;

  // What comes back.
  void read_messages(Slot& slot);
  void handle(Slot& slot, Json message);
  void look_after(Slot& slot);

  // Ends. Each clears the slot before the callback, which may throw or submit.
  std::optional<ExitState> end_worker(Slot& slot, milliseconds grace, std::string* last_output);
  void lose(Slot& slot, const std::string& complaint);
  void time_out(Slot& slot);
  void finish(Slot& slot, JobEnd end);
  void cancel_all();
  void dismiss_all();
  void reap_lingering(milliseconds limit);
};

void WorkerPool::Impl::assign_jobs() {
  // Workers that are there come first; a new one is started only when all have work.
  for (const bool start_new : {false, true})
    for (Slot& slot : slots) {
      if (queue.empty()) return;
      if (slot.job) continue;
      if (slot.worker && slot.worker->has_exited()) lose(slot, "");
      if (slot.worker || (start_new && give_worker(slot))) give_job(slot);
    }
}

bool WorkerPool::Impl::give_worker(Slot& slot) {
  std::string error;
  slot.worker = Worker::start(options, &error);
  slot.has_answered = false;
  slot.more = false;
  if (slot.worker) return true;
  // Too many processes or files just now: the workers that run will come free. With none running
  // waiting would be for ever.
  if (running() > 0) return false;
  Job job = std::move(queue.front());
  queue.pop_front();
  JobEnd end;
  end.how = How::died;
  end.exit_code = 127;
  end.last_output = error;
  if (job.done) job.done(end);
  return false;
}

void WorkerPool::Impl::give_job(Slot& slot) {
  slot.job = std::move(queue.front());
  queue.pop_front();
  slot.began = Clock::now();
  slot.deadline = deadline_after(slot.job->limit);
  slot.job_taken = false;
  // What it printed before belongs to another job.
  slot.worker->drain_output();
  if (slot.has_answered) slot.worker->output().clear();
  slot.worker->send(slot.job->request);
}

milliseconds WorkerPool::Impl::time_to_wait(Clock::time_point next_tick) const {
  Clock::time_point until = next_tick;
  for (const Slot& slot : slots) {
    if (slot.more) return milliseconds(0);
    if (slot.job) until = std::min(until, slot.deadline);
  }
  const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
  return std::clamp(left, milliseconds(0), kPoolTick);
}

void WorkerPool::Impl::wait(Clock::time_point next_tick) {
  std::vector<pollfd> entries;
  for (const Slot& slot : slots) {
    const auto own = slot.worker ? slot.worker->poll_entries()
                                 : std::array<pollfd, 3>{{{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}}};
    entries.insert(entries.end(), own.begin(), own.end());
  }
  if (::poll(entries.data(), entries.size(), static_cast<int>(time_to_wait(next_tick).count())) < 0)
    for (pollfd& entry : entries) entry.revents = 0;  // interrupted: only the clock counts
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    if (!slot.worker) continue;
    if (entries[3 * i + 1].revents != 0) slot.worker->drain_output();
    if (entries[3 * i + 2].revents != 0) slot.worker->flush();
    if (entries[3 * i].revents != 0 || slot.more) read_messages(slot);
  }
}

void WorkerPool::Impl::read_messages(Slot& slot) {
  slot.more = false;
  for (int taken = 0; slot.worker; ++taken) {
    if (taken == kMessagesPerVisit) {
      slot.more = true;
      return;
    }
    bool closed = false;
    auto message = slot.worker->channel().poll(&closed);
    if (message) {
      handle(slot, std::move(*message));
      continue;
    }
    if (closed) lose(slot, slot.worker->channel().broken() ? "it sent what is no message" : "");
    return;
  }
}

void WorkerPool::Impl::handle(Slot& slot, Json message) {
  if (!message.is_object() || message.size() != 1 || !slot.job) {
    lose(slot, "it sent an unexpected message");
    return;
  }
  Json& value = message.begin().value();
  if (message.contains("began")) {
    slot.job_taken = true;
  } else if (message.contains("progress")) {
    slot.deadline = deadline_after(slot.job->limit);
    if (slot.job->progress) slot.job->progress(value);
  } else if (message.contains("answer")) {
    slot.has_answered = true;
    slot.worker->drain_output();
    JobEnd end;
    end.answer = std::move(value);
    end.last_output = slot.worker->output().text();
    finish(slot, std::move(end));
  } else {
    lose(slot, "it sent an unexpected message");
  }
}

void WorkerPool::Impl::look_after(Slot& slot) {
  if (!slot.worker) return;
  // A child that holds the pipe open can hide the end of its parent.
  const bool dead = slot.worker->has_exited();
  const bool late = slot.job && Clock::now() >= slot.deadline;
  if (!dead && !late) return;
  // Its answer may lie in the pipe: a slow callback must not make a punctual worker late.
  read_messages(slot);
  if (!slot.worker || slot.more) return;
  if (dead)
    lose(slot, "");
  else if (slot.job && Clock::now() >= slot.deadline)
    time_out(slot);
}

std::optional<ExitState> WorkerPool::Impl::end_worker(Slot& slot, milliseconds grace,
                                                      std::string* last_output) {
  const std::unique_ptr<Worker> worker = std::move(slot.worker);
  slot.more = false;
  auto state = worker->end(grace);
  if (!state) lingering.push_back(worker->pid());
  *last_output = worker->output().text();
  return state;
}

void WorkerPool::Impl::lose(Slot& slot, const std::string& complaint) {
  JobEnd end;
  end.how = How::died;
  const auto state =
      end_worker(slot, complaint.empty() ? kExitGrace : milliseconds(0), &end.last_output);
  if (!slot.job) return;
  if (complaint.empty() && !slot.job_taken && slot.has_answered) {
    // It died of its previous job, after the answer: this one was never begun.
    queue.push_front(std::move(*slot.job));
    slot.job.reset();
    return;
  }
  if (state) {
    end.signal = state->signal;
    end.exit_code = state->exit_code;
  }
  if (!complaint.empty()) {
    if (!end.last_output.empty() && end.last_output.back() != '\n') end.last_output += '\n';
    end.last_output += "the worker was killed: " + complaint;
  }
  finish(slot, std::move(end));
}

void WorkerPool::Impl::time_out(Slot& slot) {
  JobEnd end;
  end.how = How::timed_out;
  end_worker(slot, milliseconds(0), &end.last_output);
  finish(slot, std::move(end));
}

void WorkerPool::Impl::finish(Slot& slot, JobEnd end) {
  const Job job = std::move(*slot.job);
  slot.job.reset();
  end.wall_ms = std::chrono::duration<double, std::milli>(Clock::now() - slot.began).count();
  if (job.done) job.done(end);
}

void WorkerPool::Impl::cancel_all() {
  for (Slot& slot : slots)  // all at once, then one by one: they die side by side
    if (slot.job && slot.worker) slot.worker->kill();
  for (Slot& slot : slots) {
    if (!slot.job) continue;
    JobEnd end;
    end.how = How::cancelled;
    end_worker(slot, milliseconds(0), &end.last_output);
    finish(slot, std::move(end));
  }
  while (!queue.empty()) {
    const Job job = std::move(queue.front());
    queue.pop_front();
    JobEnd end;
    end.how = How::cancelled;
    if (job.done) job.done(end);
  }
}

void WorkerPool::Impl::dismiss_all() {
  for (Slot& slot : slots) {
    if (!slot.worker) continue;
    if (slot.job)
      slot.worker->kill();
    else
      slot.worker->close_requests();
  }
  const auto deadline = Clock::now() + kLeaveGrace;
  std::string ignored;
  for (Slot& slot : slots) {
    if (!slot.worker) continue;
    const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
    end_worker(slot, slot.job ? milliseconds(0) : std::max(left, milliseconds(0)), &ignored);
  }
  reap_lingering(milliseconds(0));
}

void WorkerPool::Impl::reap_lingering(milliseconds limit) {
  std::erase_if(lingering, [&](pid_t pid) { return reap(pid, limit).has_value(); });
}

WorkerPool::WorkerPool(WorkerPoolOptions options) : impl_(std::make_unique<Impl>()) {
  if (options.command.empty()) throw std::invalid_argument("WorkerPool: no command");
  if (options.workers < 1) throw std::invalid_argument("WorkerPool: needs at least one worker");
  impl_->slots.resize(static_cast<std::size_t>(options.workers));
  impl_->options = std::move(options);
}

WorkerPool::~WorkerPool() { impl_->dismiss_all(); }

void WorkerPool::submit(Job job) { impl_->queue.push_back(std::move(job)); }

void WorkerPool::run(const std::function<bool()>& stop, const std::function<void()>& tick) {
  Impl& pool = *impl_;
  if (pool.in_run) throw std::logic_error("WorkerPool::run called from one of its callbacks");
  struct RunGuard {
    bool& flag;
    explicit RunGuard(bool& in_run) : flag(in_run) { flag = true; }
    ~RunGuard() { flag = false; }
  } const guard(pool.in_run);

  auto next_tick = Clock::now();
  while (!pool.queue.empty() || pool.running() > 0) {
    if (stop && stop()) {
      pool.cancel_all();
      return;
    }
    if (Clock::now() >= next_tick) {
      if (tick) tick();
      for (Slot& slot : pool.slots) pool.look_after(slot);
      pool.reap_lingering(milliseconds(0));
      next_tick = Clock::now() + kPoolTick;
    }
    for (Slot& slot : pool.slots)
      if (slot.job && Clock::now() >= slot.deadline) pool.look_after(slot);
    pool.assign_jobs();
    pool.wait(next_tick);
  }
  if (tick) tick();
}

std::size_t WorkerPool::waiting() const { return impl_->queue.size(); }
std::size_t WorkerPool::running() const { return impl_->running(); }

}  // namespace fusetune
