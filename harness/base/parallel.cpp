#include "harness/base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace fusetune {

namespace {

std::atomic<int>& threads_now() {
  static std::atomic<int> threads{1};
  return threads;
}

/// The parts of one call, taken by whoever is free.
class Parts {
 public:
  Parts(std::int64_t count, std::int64_t part,
        const std::function<void(std::int64_t, std::int64_t)>& work)
      : count_(count), part_(part), work_(work) {}

  void take_all() {
    for (;;) {
      const std::int64_t first = next_.fetch_add(part_);
      if (first >= count_) return;
      try {
        work_(first, std::min(count_, first + part_));
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = count_;
      }
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::int64_t count_, part_;
  const std::function<void(std::int64_t, std::int64_t)>& work_;
  std::atomic<std::int64_t> next_{0};
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

void set_parallel_threads(int threads) { threads_now() = std::max(1, threads); }

int parallel_threads() { return threads_now(); }

void for_parts(std::int64_t count, std::int64_t part,
               const std::function<void(std::int64_t, std::int64_t)>& work) {
  Parts parts(count, part, work);
  const std::int64_t wanted = std::min<std::int64_t>(parallel_threads(), (count + part - 1) / part);
  std::vector<std::thread> helpers;
  try {
    for (std::int64_t i = 1; i < wanted; ++i) helpers.emplace_back([&parts] { parts.take_all(); });
  } catch (const std::system_error&) {
    // Those that there are do it.
  }
  parts.take_all();
  for (std::thread& helper : helpers) helper.join();
  parts.rethrow();
}

}  // namespace fusetune
