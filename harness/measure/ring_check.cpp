#include "harness/measure/ring_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "harness/device/device_error.hpp"

namespace fusetune {

namespace {

using Bytes = std::vector<std::byte>;

/// Of an output, enough to see whether anything is written.
constexpr std::size_t kHeadBytes = std::size_t{1} << 20;

class Check {
 public:
  Check(Device& device, Ring& ring, SpanTimer& timer, BoundArm& arm,
        const std::function<void()>& host_works, const DigestRegions& digests)
      : device_(device),
        ring_(ring),
        timer_(timer),
        arm_(arm),
        host_works_(host_works),
        digests_(digests) {}

  RingCheck run(const RingCheckLimits& limits) {
    const auto set_bytes = static_cast<std::int64_t>(ring_.results().size());
    if (set_bytes == 0 || (!digests_ && set_bytes > limits.set_bytes_max)) return {};
    RingCheck check;
    check.outcome = digests_ ? learn_digest() : learn_expected();
    check.launch_failed = !check.outcome.ok();
    if (check.outcome.ok() && !leaves_something_)
      check.outcome = {Status::verification_failed,
                       "on the path that is timed: a launch writes no output"};
    while (check.outcome.ok() && check.lists < limits.lists &&
           (check.lists == 0 || check.lists * set_bytes < limits.bytes)) {
      ring_.reset_results(poison_byte(Poison::b));
      check.outcome = timer_.sweep(arm_);
      check.launch_failed = !check.outcome.ok();
      host_works_();
      if (check.outcome.ok()) check.outcome = compare_all(&check.launch_failed);
      check.lists += ring_.sets();
    }
    return check;
  }

 private:
  using Part = Ring::Part;

  /// From this poison, single launches on the first set.
  Outcome launch_alone(Poison poison) {
    ring_.reset_set(0, poison_byte(poison));
    for (std::int64_t list = 0; list < timer_.lists_per_set(arm_); ++list) {
      timer_.tell(arm_, 1);
      if (Outcome outcome = arm_.launch(device_, ring_, 0); !outcome.ok()) return outcome;
      if (Outcome outcome = device_.synchronize(); !outcome.ok()) return outcome;
    }
    host_works_();
    return {};
  }

  /// From either pattern: what differs then, nobody wrote.
  Outcome learn_expected() {
    for (const Poison poison : {Poison::a, Poison::b}) {
      if (Outcome outcome = launch_alone(poison); !outcome.ok()) return outcome;
      (poison == Poison::a ? from_a_ : expected_) = read(0, 0, ring_.results().size());
    }
    leaves_something_ = any_output([this](const Part& part) {
      return any_equal({from_a_.data() + part.offset, part.bytes},
                       {expected_.data() + part.offset, part.bytes});
    });
    return {};
  }

  /// The same, without carrying more than the beginning of each output.
  Outcome learn_digest() {
    std::map<std::size_t, Bytes> heads;  // by their places
    for (const Poison poison : {Poison::a, Poison::b}) {
      if (Outcome outcome = launch_alone(poison); !outcome.ok()) return outcome;
      leaves_something_ = any_output([&](const Part& part) {
        Bytes head = read(0, part.offset, std::min(part.bytes, kHeadBytes));
        const bool equal = poison == Poison::b && any_equal(heads[part.offset], head);
        heads[part.offset] = std::move(head);
        return equal;
      });
    }
    // Nothing at the beginning may be little somewhere else.
    if (!leaves_something_)
      if (Outcome outcome = learn_expected(); !outcome.ok()) return outcome;
    const Region first[] = {region_of(0)};
    expected_digest_ = digests_(first).front();
    return {};
  }

  /// Where not even a single launch writes an output, nothing would be compared; a case may have
  /// no output but what it updates.
  bool any_output(const std::function<bool(const Part&)>& is_written) const {
    bool has_outputs = false, any = false;
    for (const Part& part : ring_.results().parts) {
      if (!part.is_output) continue;
      has_outputs = true;
      any = is_written(part) || any;
    }
    return any || !has_outputs;
  }
  static bool any_equal(std::span<const std::byte> a, std::span<const std::byte> b) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a[i] == b[i]) return true;
    return false;
  }

  Region region_of(std::int64_t set) const {
    return {ring_.results_of(set), ring_.results().size()};
  }

  Outcome compare_all(bool* launch_failed) {
    std::vector<std::int64_t> different(static_cast<std::size_t>(ring_.sets()));
    std::iota(different.begin(), different.end(), 0);
    if (digests_) {
      std::vector<Region> regions;
      for (const std::int64_t set : different) regions.push_back(region_of(set));
      const std::vector<Digest> found = digests_(regions);
      std::erase_if(different, [&](std::int64_t set) {
        return found[static_cast<std::size_t>(set)] == expected_digest_;
      });
    }
    for (const std::int64_t set : different) {
      const Bytes left = read(set, 0, ring_.results().size());
      // Launched anew on the first set, whose content is here by now if it is needed.
      if (expected_.empty())
        if (Outcome outcome = learn_expected(); !outcome.ok()) {
          *launch_failed = true;
          return outcome;
        }
      if (Outcome outcome = compare(set, left); !outcome.ok()) return outcome;
    }
    return {};
  }

  Outcome compare(std::int64_t set, const Bytes& left) const {
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

  Bytes read(std::int64_t set, std::size_t offset, std::size_t size_bytes) {
    Bytes bytes(size_bytes);
    device_.copy_from(bytes.data(), ring_.results_of(set) + offset, size_bytes);
    return bytes;
  }

  Device& device_;
  Ring& ring_;
  SpanTimer& timer_;
  BoundArm& arm_;
  const std::function<void()>& host_works_;
  const DigestRegions& digests_;
  /// Of one set, after single launches on the one poison and the other.
  Bytes from_a_, expected_;
  Digest expected_digest_;
  bool leaves_something_ = false;
};

}  // namespace

RingCheck check_ring(Device& device, Ring& ring, SpanTimer& timer, BoundArm& arm,
                     const RingCheckLimits& limits, const std::function<void()>& host_works,
                     const DigestRegions& digests) try {
  return Check(device, ring, timer, arm, host_works, digests).run(limits);
} catch (const DeviceError& error) {
  RingCheck failed;
  failed.outcome = {error.status(), error.what()};
  failed.launch_failed = true;
  return failed;
}

}  // namespace fusetune
