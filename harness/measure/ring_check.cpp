#include "harness/measure/ring_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "harness/device/device_error.hpp"

namespace fusetune {

namespace {

using Bytes = std::vector<std::byte>;

class Check {
 public:
  Check(Device& device, Ring& ring, SpanTimer& timer, BoundArm& arm,
        const std::function<void()>& host_works)
      : device_(device), ring_(ring), timer_(timer), arm_(arm), host_works_(host_works) {}

  RingCheck run(const RingCheckLimits& limits) {
    const auto set_bytes = static_cast<std::int64_t>(ring_.results().size());
    if (set_bytes == 0 || set_bytes > limits.set_bytes_max) return {};
    RingCheck check;
    check.outcome = learn_expected();
    check.launch_failed = !check.outcome.ok();
    if (check.outcome.ok()) check.outcome = left_nothing();
    while (check.outcome.ok() && check.lists < limits.lists &&
           (check.lists == 0 || check.lists * set_bytes < limits.bytes)) {
      ring_.reset_results(poison_byte(Poison::b));
      check.outcome = timer_.sweep(arm_);
      check.launch_failed = !check.outcome.ok();
      host_works_();
      for (std::int64_t set = 0; set < ring_.sets() && check.outcome.ok(); ++set)
        check.outcome = compare(set);
      check.lists += ring_.sets();
    }
    return check;
  }

 private:
  /// From either pattern: what differs then, nobody wrote.
  Outcome learn_expected() {
    for (const Poison poison : {Poison::a, Poison::b}) {
      ring_.reset_set(0, poison_byte(poison));
      for (std::int64_t list = 0; list < timer_.lists_per_set(arm_); ++list) {
        timer_.tell(arm_, 1);
        if (Outcome outcome = arm_.launch(device_, ring_, 0); !outcome.ok()) return outcome;
        if (Outcome outcome = device_.synchronize(); !outcome.ok()) return outcome;
      }
      host_works_();
      (poison == Poison::a ? from_a_ : expected_) = read(0);
    }
    return {};
  }

  /// Where not even a single launch writes an output, nothing would be compared.
  Outcome left_nothing() const {
    bool has_outputs = false;
    for (const Ring::Part& part : ring_.results().parts) {
      if (!part.is_output) continue;
      has_outputs = true;
      const auto first = static_cast<std::ptrdiff_t>(part.offset);
      const auto last = first + static_cast<std::ptrdiff_t>(part.bytes);
      if (std::mismatch(from_a_.begin() + first, from_a_.begin() + last, expected_.begin() + first,
                        [](std::byte a, std::byte b) { return a != b; })
              .first != from_a_.begin() + last)
        return {};
    }
    if (!has_outputs) return {};
    return {Status::verification_failed, "on the path that is timed: a launch writes no output"};
  }

  Outcome compare(std::int64_t set) {
    const Bytes left = read(set);
    if (left == expected_) return {};
    for (const Ring::Part& part : ring_.results().parts) {
      std::size_t different = 0, first = 0;
      for (std::size_t i = part.offset; i < part.offset + part.bytes; ++i) {
        if (left[i] == expected_[i] || from_a_[i] != expected_[i]) continue;
        if (different++ == 0) first = i - part.offset;
      }
      if (different == 0) continue;
      return {Status::verification_failed,
              fmt::format("on the path that is timed: of argument set {} of {}, {} bytes of {} are "
                          "not what a single launch leaves, the first at {}",
                          set, ring_.sets(), different, part.name, first)};
    }
    return {};
  }

  Bytes read(std::int64_t set) {
    Bytes bytes(ring_.results().size());
    device_.copy_from(bytes.data(), ring_.results_of(set), bytes.size());
    return bytes;
  }

  Device& device_;
  Ring& ring_;
  SpanTimer& timer_;
  BoundArm& arm_;
  const std::function<void()>& host_works_;
  Bytes from_a_, expected_;  ///< of one set, after single launches on the one poison and the other
};

}  // namespace

RingCheck check_ring(Device& device, Ring& ring, SpanTimer& timer, BoundArm& arm,
                     const RingCheckLimits& limits, const std::function<void()>& host_works) try {
  return Check(device, ring, timer, arm, host_works).run(limits);
} catch (const DeviceError& error) {
  RingCheck failed;
  failed.outcome = {error.status(), error.what()};
  failed.launch_failed = true;
  return failed;
}

}  // namespace fusetune
