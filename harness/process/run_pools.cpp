#include <algorithm>
#include <stdexcept>

#include "harness/process/pool_impl.hpp"

namespace fusetune {

namespace {

using std::chrono::milliseconds;

// How often stop, tick and silent deaths are looked at; the contract is ten times a second.
constexpr milliseconds kPoolTick{50};

/// The pools that are run together.
class Pools {
 public:
  Pools(std::vector<WorkerPool::Impl*> pools, int jobs)
      : pools_(std::move(pools)), jobs_(static_cast<std::size_t>(jobs)) {
    for (const WorkerPool::Impl* pool : pools_)
      if (pool->in_run) throw std::logic_error("a pool was run from one of its callbacks");
    for (WorkerPool::Impl* pool : pools_) pool->in_run = true;
  }
  ~Pools() {
    for (WorkerPool::Impl* pool : pools_) pool->in_run = false;
  }
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  bool done() const { return running() == 0 && !waits_for_others() && !waits(Company::none); }

  void cancel_all() {
    // A callback may submit to any of them.
    while (!done())
      for (WorkerPool::Impl* pool : pools_) pool->cancel_all();
  }

  void look_after() {
    for (WorkerPool::Impl* pool : pools_) {
      pool->look_after_all();
      pool->reap_lingering(milliseconds(0));
    }
  }

  void assign_jobs() {
    if (std::any_of(pools_.begin(), pools_.end(),
                    [](const WorkerPool::Impl* pool) { return pool->runs(Company::none); }))
      return;
    for (const Company company : {Company::any, Company::other_pools})
      for (WorkerPool::Impl* pool : pools_)
        while (has_room() && pool->start_next(company)) continue;
    if (running() > 0 || waits_for_others()) return;
    for (WorkerPool::Impl* pool : pools_)
      if (pool->start_next(Company::none)) return;
  }

  void wait(PoolClock::time_point next_tick) {
    for (WorkerPool::Impl* pool : pools_) pool->look_after_late();
    std::vector<pollfd> entries;
    for (const WorkerPool::Impl* pool : pools_) pool->add_poll_entries(entries);
    if (::poll(entries.data(), entries.size(), static_cast<int>(time_to_wait(next_tick).count())) <
        0)
      for (pollfd& entry : entries) entry.revents = 0;  // interrupted: only the clock counts
    const pollfd* own = entries.data();
    for (WorkerPool::Impl* pool : pools_) {
      pool->take_poll_results(own);
      own += 3 * pool->slots.size();
    }
  }

 private:
  std::size_t running() const {
    std::size_t sum = 0;
    for (const WorkerPool::Impl* pool : pools_) sum += pool->running();
    return sum;
  }
  bool waits(Company company) const {
    return std::any_of(pools_.begin(), pools_.end(), [company](const WorkerPool::Impl* pool) {
      return pool->queue.has(company);
    });
  }
  bool waits_for_others() const { return waits(Company::any) || waits(Company::other_pools); }
  bool has_room() const { return jobs_ == 0 || running() < jobs_; }

  milliseconds time_to_wait(PoolClock::time_point next_tick) const {
    PoolClock::time_point until = next_tick;
    for (const WorkerPool::Impl* pool : pools_) {
      until = std::min(until, pool->next_deadline());
    }
    const auto left = std::chrono::ceil<milliseconds>(until - PoolClock::now());
    return std::clamp(left, milliseconds(0), kPoolTick);
  }

  std::vector<WorkerPool::Impl*> pools_;
  std::size_t jobs_;
};

}  // namespace

void run_pools(const std::vector<WorkerPool*>& pools, int jobs, const std::function<bool()>& stop,
               const std::function<void()>& tick) {
  std::vector<WorkerPool::Impl*> impls;
  for (const WorkerPool* pool : pools) impls.push_back(pool->impl_.get());
  Pools running(std::move(impls), jobs);
  auto next_tick = PoolClock::now();
  while (!running.done()) {
    if (stop && stop()) {
      running.cancel_all();
      return;
    }
    if (PoolClock::now() >= next_tick) {
      if (tick) tick();
      running.look_after();
      next_tick = PoolClock::now() + kPoolTick;
    }
    running.assign_jobs();
    running.wait(next_tick);
  }
  if (tick) tick();
}

}  // namespace fusetune
