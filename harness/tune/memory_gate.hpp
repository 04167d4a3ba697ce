#pragma once
// Work that needs much memory, begun as far as there is memory for all of it at a time.

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace fusetune {

/// Begins pieces of work in a given order, each as soon as it fits beside those that run. One that
/// takes more than there is runs alone.
class MemoryGate {
 public:
  /// `bytes`: of each piece. `begin` is told its number, and may end it at once.
  MemoryGate(std::vector<std::int64_t> bytes, std::vector<std::size_t> order, std::int64_t limit,
             std::function<void(std::size_t)> begin)
      : bytes_(std::move(bytes)),
        order_(std::move(order)),
        limit_(limit),
        begin_(std::move(begin)) {}

  void fill() {
    if (filling_) return;  // the caller's loop goes on
    filling_ = true;
    while (next_ < order_.size() && (running_ == 0 || held_ + bytes_[order_[next_]] <= limit_)) {
      const std::size_t one = order_[next_++];
      ++running_;
      held_ += bytes_[one];
      begin_(one);
    }
    filling_ = false;
  }

  void ended(std::size_t one) {
    --running_;
    held_ -= bytes_[one];
    fill();
  }

 private:
  std::vector<std::int64_t> bytes_;
  std::vector<std::size_t> order_;
  std::int64_t limit_, held_ = 0;
  std::function<void(std::size_t)> begin_;
  std::size_t next_ = 0;
  int running_ = 0;
  bool filling_ = false;
};

}  // namespace fusetune
