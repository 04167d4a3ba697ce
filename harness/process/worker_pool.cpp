#include "harness/process/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "harness/base/error.hpp"
#include "harness/process/pool_impl.hpp"

namespace fusetune {

namespace {

using Clock = PoolClock;
using std::chrono::milliseconds;
using How = JobEnd::How;

// From the end of a worker's pipe to its exit.
constexpr milliseconds kExitGrace{200};
// For idle workers to leave by themselves when the pool ends.
constexpr milliseconds kLeaveGrace{500};
// So many workers in a row that end before they begin are no chance.
constexpr int kStartsInVain = 3;
// A limit that means "never" must not overflow the clock.
constexpr milliseconds kLimitMax = std::chrono::hours(24 * 365);

std::string in_vain_text(const std::optional<ExitState>& state, const std::string& output) {
  const std::string how = !state               ? "no end that was told"
                          : state->signal != 0 ? fmt::format("signal {}", state->signal)
                                               : fmt::format("exit code {}", state->exit_code);
  return fmt::format("{} workers in a row ended before they began their work ({}): {}",
                     kStartsInVain, how, output);
}

std::optional<std::int64_t> subject_of(const NotePage& page) {
  const std::optional<StepNote> note = page.read();
  return note ? std::optional(note->subject) : std::nullopt;
}

double ms_of(std::chrono::microseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

}  // namespace

std::size_t WorkerPool::Impl::running() const {
  return static_cast<std::size_t>(
      std::count_if(slots.begin(), slots.end(), [](const Slot& s) { return s.job.has_value(); }));
}

bool WorkerPool::Impl::runs(Company company) const {
  return std::any_of(slots.begin(), slots.end(), [company](const Slot& slot) {
    return slot.job && slot.job->company == company;
  });
}

Job WorkerPool::Impl::take(Company company, const Slot& slot) {
  std::set<std::string> others;
  for (const Slot& other : slots)
    if (other.worker && &other != &slot) others.insert(other.kind);
  return *queue.take(company, slot.worker ? slot.kind : "", others);
}

bool WorkerPool::Impl::start_next(Company company) {
  if (!queue.has(company) || runs(Company::other_pools)) return false;
  if (company == Company::other_pools && (queue.has(Company::any) || running() > 0)) return false;
  // Workers that are there come first; a new one is started only when all have work.
  Slot* empty = nullptr;
  for (Slot& slot : slots) {
    if (slot.job) continue;
    if (slot.worker && slot.worker->has_exited()) lose(slot, "");
    if (slot.worker) {
      give_job(slot, take(company, slot));
      return true;
    }
    if (empty == nullptr) empty = &slot;
  }
  if (empty == nullptr) return false;
  std::string error;
  empty->worker = Worker::start(options, &error);
  empty->has_answered = false;
  if (empty->worker) {
    empty->kind.clear();
    give_job(*empty, take(company, *empty));
    return true;
  }
  // Too many processes or files just now: the workers that run will come free. With none running
  // waiting would be for ever.
  if (running() > 0) return false;
  throw UserError(error);
}

void WorkerPool::Impl::give_job(Slot& slot, Job job) {
  slot.job = std::move(job);
  slot.kind = slot.job->kind;
  slot.began = Clock::now();
  slot.limit = slot.job->limit;
  if (slot.job->noted_limit == milliseconds(0))
    slot.limit = learned_limit(*slot.job, 0).value_or(slot.limit);
  slot.limit = std::min(slot.limit, kLimitMax);
  slot.deadline = slot.began + slot.limit;
  slot.begun_before = slot.worker->note().jobs_begun();
  // What it printed before belongs to another job.
  slot.worker->drain_output();
  if (slot.has_answered) slot.worker->output().clear();
  slot.worker->note().clear();
  slot.worker->send(*slot.job);
}

std::optional<milliseconds> WorkerPool::Impl::learned_limit(const Job& job,
                                                            double slowest_so_far_ms) const {
  if (job.kind.empty() || job.limit_floor == milliseconds(0)) return std::nullopt;
  const double slowest_ms = std::max(queue.slowest_step_ms(job.kind), slowest_so_far_ms);
  if (slowest_ms <= 0) return std::nullopt;
  return std::max(job.limit_floor,
                  milliseconds(static_cast<std::int64_t>(kHangFactor * slowest_ms)));
}

milliseconds WorkerPool::Impl::step_limit(const Slot& slot, const StepNote& note) const {
  const Job& job = *slot.job;
  if (note.resting) return std::chrono::ceil<milliseconds>(note.expected);
  if (note.expected.count() > 0) {
    const auto hanging = std::chrono::ceil<milliseconds>(note.expected * kHangFactor);
    return std::max(job.limit_floor > milliseconds(0) ? job.limit_floor : job.noted_limit, hanging);
  }
  return learned_limit(job, ms_of(slot.worker->note().slowest_step())).value_or(job.noted_limit);
}

std::optional<milliseconds> WorkerPool::Impl::passed_limit(const Slot& slot) const {
  if (!slot.job) return std::nullopt;
  const Clock::time_point now = Clock::now();
  if (now >= slot.deadline) return slot.limit;
  if (slot.job->noted_limit == milliseconds(0)) return std::nullopt;
  const std::optional<StepNote> note = slot.worker->note().read();
  if (!note) return std::nullopt;
  const milliseconds limit = step_limit(slot, *note);
  return now - note->since >= limit ? std::optional(limit) : std::nullopt;
}

Clock::time_point WorkerPool::Impl::next_deadline() const {
  Clock::time_point next = Clock::time_point::max();
  for (const Slot& slot : slots)
    if (slot.job) next = std::min(next, slot.deadline);
  return next;
}

void WorkerPool::Impl::add_poll_entries(std::vector<pollfd>& entries) const {
  for (const Slot& slot : slots) {
    const auto own = slot.worker ? slot.worker->poll_entries()
                                 : std::array<pollfd, 3>{{{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}}};
    entries.insert(entries.end(), own.begin(), own.end());
  }
}

void WorkerPool::Impl::take_poll_results(const pollfd* entries) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    if (!slot.worker) continue;
    if (entries[3 * i + 1].revents != 0) slot.worker->drain_output();
    if (entries[3 * i + 2].revents != 0) slot.worker->flush();
    if (entries[3 * i].revents != 0) read_messages(slot);
  }
}

void WorkerPool::Impl::read_messages(Slot& slot) {
  // One answer, and nothing after it: one that floods is lost at its second message.
  while (slot.worker) {
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
  if (!message.is_object() || message.size() != 1 || !message.contains("answer") || !slot.job) {
    lose(slot, "it sent an unexpected message");
    return;
  }
  const double wall_ms = ms_since(slot.began);
  const bool notes_steps = slot.job->noted_limit > milliseconds(0);
  queue.saw(slot.job->kind, wall_ms);
  queue.saw_step(slot.job->kind, notes_steps ? ms_of(slot.worker->note().slowest_step()) : wall_ms);
  slot.has_answered = true;
  starts_in_vain = 0;
  slot.worker->drain_output();
  JobEnd end;
  end.answer = std::move(message.begin().value());
  end.last_output = slot.worker->output().text();
  end.noted = subject_of(slot.worker->note());
  finish(slot, std::move(end));
}

void WorkerPool::Impl::look_after(Slot& slot) {
  if (!slot.worker) return;
  if (slot.job && slot.job->on_note)
    if (const std::optional<StepNote> note = slot.worker->note().read()) slot.job->on_note(*note);
  // A child that holds the pipe open can hide the end of its parent.
  const bool dead = slot.worker->has_exited();
  if (!dead && !passed_limit(slot)) return;
  // Its answer may lie in the pipe: a slow callback must not make a punctual worker late.
  read_messages(slot);
  if (!slot.worker) return;
  if (dead)
    lose(slot, "");
  else if (const std::optional<milliseconds> limit = passed_limit(slot))
    time_out(slot, *limit);
}

void WorkerPool::Impl::look_after_all() {
  for (Slot& slot : slots) look_after(slot);
}

void WorkerPool::Impl::look_after_late() {
  for (Slot& slot : slots)
    if (slot.job && Clock::now() >= slot.deadline) look_after(slot);
}

std::optional<ExitState> WorkerPool::Impl::end_worker(Slot& slot, milliseconds grace, JobEnd* end) {
  const std::unique_ptr<Worker> worker = std::move(slot.worker);
  auto state = worker->end(grace);
  if (!state) lingering.push_back(worker->pid());
  end->pid = worker->pid();
  end->last_output = worker->output().text();
  end->noted = subject_of(worker->note());
  slot.begun = worker->note().jobs_begun() != slot.begun_before;
  return state;
}

void WorkerPool::Impl::lose(Slot& slot, const std::string& complaint) {
  JobEnd end;
  end.how = How::died;
  const auto state = end_worker(slot, complaint.empty() ? kExitGrace : milliseconds(0), &end);
  if (!slot.job) return;
  if (slot.begun) starts_in_vain = 0;
  if (complaint.empty() && !slot.begun) {
    // It died of its previous job, after the answer, or before it could begin any: no job's
    // failure.
    queue.put_back(std::move(*slot.job));
    slot.job.reset();
    if (!slot.has_answered && ++starts_in_vain == kStartsInVain)
      throw UserError(in_vain_text(state, end.last_output));
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

void WorkerPool::Impl::time_out(Slot& slot, milliseconds limit) {
  JobEnd end;
  end.how = How::timed_out;
  slot.limit = limit;
  end_worker(slot, milliseconds(0), &end);
  finish(slot, std::move(end));
}

void WorkerPool::Impl::finish(Slot& slot, JobEnd end) {
  Job job = std::move(*slot.job);
  slot.job.reset();
  end.wall_ms = ms_since(slot.began);
  end.limit = slot.limit;
  const bool lost = end.how == How::died || end.how == How::timed_out;
  if (lost && options.on_death) options.on_death(job, end);
  if (lost && job.second_try)
    try_again(std::move(job), end.limit);
  else if (job.done)
    job.done(end);
}

void WorkerPool::Impl::try_again(Job job, milliseconds limit) {
  job.second_try = false;
  job.company = Company::none;
  job.limit = std::min(std::max(job.limit, limit), kLimitMax) * kSecondTryPatience;
  job.noted_limit *= kSecondTryPatience;
  job.limit_floor = milliseconds(0);
  queue.push(std::move(job));
}

void WorkerPool::Impl::cancel_all() {
  for (Slot& slot : slots)  // all at once, then one by one: they die side by side
    if (slot.job && slot.worker) slot.worker->kill();
  for (Slot& slot : slots) {
    if (!slot.job) continue;
    JobEnd end;
    end.how = How::cancelled;
    end_worker(slot, milliseconds(0), &end);
    finish(slot, std::move(end));
  }
  for (const Company company : {Company::any, Company::other_pools, Company::none})
    while (const std::optional<Job> job = queue.take(company)) {
      JobEnd end;
      end.how = How::cancelled;
      if (job->done) job->done(end);
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
  JobEnd ignored;
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

void WorkerPool::submit(Job job) {
  if (job.shared) job.request["shared"] = job.shared->key;
  impl_->queue.push(std::move(job));
}

void WorkerPool::saw(const std::string& kind, double wall_ms) { impl_->queue.saw(kind, wall_ms); }

void WorkerPool::run(const std::function<bool()>& stop, const std::function<void()>& tick) {
  run_pools({this}, 0, stop, tick);
}

std::size_t WorkerPool::waiting() const { return impl_->queue.size(); }
std::size_t WorkerPool::running() const { return impl_->running(); }

}  // namespace fusetune
