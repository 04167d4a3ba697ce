#pragma once
// Timed spans: launches of one arm back to back over the ring, between two stamps of the device's
// own clock. Where the queue is asynchronous the next span is in it before the one before it ends,
// and this machine's clock is read beside the device's.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "harness/measure/ring.hpp"
#include "harness/verify/binding.hpp"

namespace fusetune {

/// How launches reach the device: one by one into the queue, as recorded sweeps of the ring, or
/// launches so long that a span is few of them.
enum class LaunchPath { stream, graph, single };

std::string_view to_string(LaunchPath path);

/// An arm with its launches bound; which launch arguments are tensors, and which tensor.
class BoundArm {
 public:
  /// `prototype` gives what does not change from set to set: strides, symbols, scalars.
  BoundArm(const RunnableVariant& variant, const Case& which, const Arena& prototype);

  /// Launches the whole list once on a set of the ring.
  Outcome launch(Device& device, const Ring& ring, std::int64_t set);
  /// Adds the list on a set of the ring.
  void queue(const Ring& ring, std::int64_t set, std::vector<QueuedLaunch>& list);
  std::int64_t launches() const { return std::ssize(launches_); }

 private:
  struct Slot {
    std::size_t launch = 0, argument = 0, ordinal = 0;
  };
  void point_at(const Ring& ring, std::int64_t set);

  const LoadedCode* code_;
  std::vector<KernelLaunch> launches_;
  std::vector<Slot> slots_;
};

struct Span {
  Outcome outcome;
  bool no_time = false;  ///< by what the clock says, which cannot be
  double us = 0;         ///< of the whole span, by the device's clock
  double host_us = 0;    ///< by this machine's; 0 where it does not know
  double core_mhz = 0;   ///< 0 where the device cannot tell
  std::int64_t launches = 0;
  /// It failed, and that may be another's fault: of an arm that was in the queue as well, or of
  /// the device.
  bool unsure = false;
};

struct SpanRequest {
  BoundArm* arm = nullptr;
  std::int64_t launches = 1;  ///< launch lists; on the graph path rounded up to whole replays
};

/// Empties the cache before each span of graphs: those of a short ring, of which a span of L launch
/// lists sweeps the first half and one of 2 L the whole, once.
struct CacheFlush {
  std::function<void()> run;
  double us = 0;  ///< that it takes: this machine's time of a span has it as well
  explicit operator bool() const { return static_cast<bool>(run); }
};

/// Times spans over a ring. On a stream each begins at the set where the one before it ended,
/// whichever arm ran: a set is used again only after all others were.
class SpanTimer {
 public:
  /// Told which arm the device is about to be waited for, and with how many launch lists: what
  /// hangs from then on hangs in it.
  using Ahead = std::function<void(const BoundArm& arm, std::int64_t launches)>;

  SpanTimer(Device& device, Ring& ring, LaunchPath path = LaunchPath::stream, Ahead ahead = {},
            CacheFlush flush = {});

  /// Of an asynchronous queue, this machine's time is that of all work of the device.
  Span run(BoundArm& arm, std::int64_t launches);
  /// In their order, back to back through an asynchronous queue; up to the first that fails.
  std::vector<Span> run(std::span<const SpanRequest> requests);
  /// So many launch lists, rounded up to what can be run.
  std::int64_t whole(const BoundArm& arm, std::int64_t launches) const;
  /// Runs the arm's lists on every set, as spans do but untimed, and waits; nothing is restored.
  Outcome sweep(BoundArm& arm);
  /// How often a sweep uses each set.
  std::int64_t lists_per_set(const BoundArm& arm) const;
  void tell(const BoundArm& arm, std::int64_t launches) const;
  /// Records the arm's sweeps of the ring, once; the outcome says why that is not possible.
  Outcome record(BoundArm& arm);

 private:
  struct Open {
    BoundArm* arm = nullptr;
    std::optional<SpanTicket> ticket;  ///< nothing where it could not even begin
    Outcome outcome;
    bool unsure = false;
    std::int64_t first = 0, launches = 0;
    double from_us = 0;  ///< by this machine's clock
  };
  /// When the span before was read, by this machine's clock, and whether it ended only then.
  struct Look {
    double us = 0;
    bool exact = false;
  };
  using WhenFull = std::function<void()>;
  Open submit(const SpanRequest& request, const WhenFull& when_full = {});
  Outcome enqueue_lists(const SpanRequest& request, const WhenFull& when_full);
  Outcome replay_sweeps(const SpanRequest& request);
  /// Of the ring, that are recorded as one or more graphs: short rings several times.
  std::int64_t sweeps_recorded(const BoundArm& arm) const;
  Span close(const Open& open, Look& look);
  bool flushes() const { return flush_ && path_ == LaunchPath::graph; }
  void lead_in(const SpanRequest& first);
  Outcome record_all(std::span<const SpanRequest> requests);

  Device* device_;
  Ring* ring_;
  LaunchPath path_;
  Ahead ahead_;
  CacheFlush flush_;
  QueueTraits traits_;
  std::int64_t set_ = 0;
  std::int64_t in_queue_ = 0;  ///< launches, at most: some may be done
  struct Recorded {
    std::unique_ptr<LaunchGraph> graph;
    std::int64_t lists = 0;
  };
  std::map<const BoundArm*, std::vector<Recorded>> sweeps_;
};

/// Launch lists per sample: whole sweeps of the ring where one takes at most a few spans' time, so
/// that every placement has equal weight; otherwise as many as the span needs.
struct SpanLength {
  std::int64_t launches = 1;
  bool whole_sweeps = true;
};
SpanLength span_length(double us_per_launch, std::int64_t sets, double span_us_min);

/// The step of the device's clock, by spans of copies; 0 where none shows.
double measure_tick_us(Device& device);

}  // namespace fusetune
