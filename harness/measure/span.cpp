#include "harness/measure/span.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "harness/device/device_error.hpp"

namespace fusetune {

namespace {

Span failed(Outcome outcome) {
  Span span;
  span.outcome = std::move(outcome);
  return span;
}

}  // namespace

std::string_view to_string(LaunchPath path) {
  constexpr std::string_view names[] = {"stream", "graph", "single"};
  return names[static_cast<std::size_t>(path)];
}

BoundArm::BoundArm(const RunnableVariant& variant, const Case& which, const Arena& prototype)
    : code_(variant.code), launches_(bind(variant, which, prototype)) {
  for (std::size_t l = 0; l < variant.launches.size(); ++l) {
    const std::vector<Argument>& arguments = variant.launches[l].arguments;
    for (std::size_t a = 0; a < arguments.size(); ++a) {
      if (arguments[a].kind != Argument::Kind::tensor) continue;
      slots_.push_back({l, a, prototype.buffer(arguments[a].name).ordinal});
    }
  }
}

void BoundArm::point_at(const Ring& ring, std::int64_t set) {
  for (const Slot& slot : slots_)
    launches_[slot.launch].arguments[slot.argument] = ring.data(slot.ordinal, set);
}

Outcome BoundArm::launch(Device& device, const Ring& ring, std::int64_t set) {
  point_at(ring, set);
  return enqueue(device, *code_, launches_);
}

void BoundArm::queue(const Ring& ring, std::int64_t set, std::vector<QueuedLaunch>& list) {
  point_at(ring, set);
  for (const KernelLaunch& launch : launches_) list.push_back({code_, launch});
}

SpanTimer::SpanTimer(Device& device, Ring& ring, LaunchPath path, Ahead ahead, CacheFlush flush)
    : device_(&device),
      ring_(&ring),
      path_(path),
      ahead_(std::move(ahead)),
      flush_(std::move(flush)),
      traits_(device.queue()) {}

void SpanTimer::tell(const BoundArm& arm, std::int64_t launches) const {
  if (ahead_) ahead_(arm, launches);
}

std::int64_t SpanTimer::sweeps_recorded(const BoundArm& arm) const {
  const std::int64_t sweep = ring_->sets() * arm.launches();
  return std::max<std::int64_t>(1, traits_.graph_launches_max / sweep);
}

std::int64_t SpanTimer::whole(const BoundArm& arm, std::int64_t launches) const {
  if (path_ != LaunchPath::graph) return launches;
  const std::int64_t sets = ring_->sets();
  if (flush_) return launches <= sets / 2 ? sets / 2 : sets;
  const std::int64_t block = sets * sweeps_recorded(arm);
  return (launches + block - 1) / block * block;
}

Outcome SpanTimer::record(BoundArm& arm) {
  std::vector<Recorded>& graphs = sweeps_[&arm];
  if (!graphs.empty()) return {};
  const std::int64_t lists_each =
      std::max<std::int64_t>(1, traits_.graph_launches_max / arm.launches());
  const std::int64_t lists = ring_->sets() * sweeps_recorded(arm);
  const std::int64_t part = flush_ ? ring_->sets() / 2 : lists;
  for (std::int64_t done = 0; done < lists;) {
    const std::int64_t count = std::min(lists_each, part - done % part);
    std::vector<QueuedLaunch> list;
    for (std::int64_t i = 0; i < count; ++i, ++done) arm.queue(*ring_, done % ring_->sets(), list);
    Outcome outcome;
    graphs.push_back({device_->record(list, &outcome), count});
    if (outcome.ok()) continue;
    sweeps_.erase(&arm);
    return outcome;
  }
  return {};
}

Outcome SpanTimer::replay_sweeps(const SpanRequest& request) {
  const std::int64_t launches = whole(*request.arm, request.launches);
  for (std::int64_t done = 0; done < launches;)
    for (const Recorded& recorded : sweeps_.at(request.arm)) {
      if (done >= launches) break;
      if (Outcome outcome = device_->replay(*recorded.graph); !outcome.ok()) return outcome;
      done += recorded.lists;
    }
  return {};
}

Outcome SpanTimer::enqueue_lists(const SpanRequest& request, const WhenFull& when_full) {
  for (std::int64_t i = 0; i < request.launches; ++i) {
    // One more would wait in launch(), and nobody could tell for whom.
    if (in_queue_ + request.arm->launches() > traits_.launches_ahead_max && when_full) when_full();
    if (Outcome outcome = request.arm->launch(*device_, *ring_, set_); !outcome.ok())
      return outcome;
    in_queue_ += request.arm->launches();
    set_ = set_ + 1 == ring_->sets() ? 0 : set_ + 1;
  }
  return {};
}

SpanTimer::Open SpanTimer::submit(const SpanRequest& request, const WhenFull& when_full) {
  Open open;
  open.arm = request.arm;
  open.first = set_;
  open.launches = whole(*request.arm, request.launches);
  tell(*open.arm, open.launches);
  open.from_us = traits_.asynchronous ? device_->host_us() : 0;
  try {
    if (flushes()) flush_.run();
    SpanTicket ticket = device_->begin_span();
    open.outcome =
        path_ == LaunchPath::graph ? replay_sweeps(request) : enqueue_lists(request, when_full);
    device_->end_span(ticket);
    open.ticket = ticket;
  } catch (const DeviceError& error) {
    // What a kernel broke shows in whatever is called next.
    if (open.outcome.ok()) {
      open.outcome = {error.status(), error.what()};
      open.unsure = true;
    }
  }
  return open;
}

Span SpanTimer::close(const Open& open, Look& look) {
  Span span;
  SpanTime time;
  span.outcome = open.outcome;
  span.unsure = open.unsure;
  span.launches = open.launches;
  if (!open.ticket) return span;
  const double before_us = traits_.asynchronous ? device_->host_us() : 0;
  if (const Outcome late = device_->read_span(*open.ticket, &time); span.outcome.ok())
    span.outcome = late;
  in_queue_ = std::max<std::int64_t>(0, in_queue_ - open.launches * open.arm->launches());
  span.us = time.us;
  span.core_mhz = time.core_mhz;
  span.no_time = span.outcome.ok() && !(span.us > 0 && std::isfinite(span.us));
  if (!traits_.asynchronous) return span;
  // Where nothing was left to wait for, the end was earlier than this machine looked.
  constexpr double kWaitsUs = 2;
  const double now_us = device_->host_us();
  const bool waited = now_us - before_us > kWaitsUs;
  if (waited && look.exact)
    span.host_us = now_us - std::max(open.from_us, look.us) - (flushes() ? flush_.us : 0);
  look = {now_us, waited};
  return span;
}

void SpanTimer::lead_in(const SpanRequest& first) {
  // The first span would show what a launch costs that nothing hides.
  if (first.launches < 2) return;
  tell(*first.arm, first.launches);
  const auto graphs = sweeps_.find(first.arm);
  if (path_ == LaunchPath::graph && graphs != sweeps_.end())
    static_cast<void>(device_->replay(*graphs->second.front().graph));
  else if (path_ != LaunchPath::graph)
    static_cast<void>(enqueue_lists({first.arm, 1}, {}));
}

Outcome SpanTimer::record_all(std::span<const SpanRequest> requests) {
  if (path_ != LaunchPath::graph) return {};
  for (const SpanRequest& request : requests)
    if (Outcome outcome = record(*request.arm); !outcome.ok()) return outcome;
  return {};
}

std::vector<Span> SpanTimer::run(std::span<const SpanRequest> requests) {
  std::vector<Span> spans;
  // Before anything is timed: recording takes longer than a span.
  if (const Outcome outcome = record_all(requests); !outcome.ok()) return {failed(outcome)};
  if (!requests.empty()) lead_in(requests.front());
  in_queue_ = 0;  // all that was submitted before was read
  // When the lead-in ended nobody looked.
  Look look{0, false};
  std::optional<Open> before;
  const auto read_before = [&] {
    if (!before) return;
    tell(*before->arm, before->launches);
    spans.push_back(close(*before, look));
    before.reset();
  };
  for (const SpanRequest& request : requests) {
    const bool unsure = before && before->arm != request.arm;
    Open open = submit(request, [&] {
      if (!before) return;
      read_before();
      tell(*request.arm, request.launches);
    });
    read_before();
    if (!spans.empty() && !spans.back().outcome.ok()) {
      spans.back().unsure |= unsure;
      return spans;
    }
    before = std::move(open);
    if (before->outcome.ok()) continue;
    read_before();
    return spans;
  }
  read_before();
  return spans;
}

Span SpanTimer::run(BoundArm& arm, std::int64_t launches) {
  const SpanRequest request{&arm, launches};
  if (Outcome outcome = record_all({&request, 1}); !outcome.ok()) return failed(outcome);
  in_queue_ = 0;
  Look look{0, true};
  const Open open = submit(request);
  Span span = close(open, look);
  if (traits_.asynchronous) {
    // All work of the device, and not only what its queue knows of.
    if (const Outcome late = device_->synchronize_all(); span.outcome.ok()) span.outcome = late;
    span.host_us = device_->host_us() - open.from_us - (flushes() ? flush_.us : 0);
  }
  // After the span, not before the next: by then the ring has turned and the copies are cold again.
  if (ring_->restores()) {
    ring_->restore(open.first, open.launches);
    if (const Outcome late = device_->synchronize(); span.outcome.ok()) span.outcome = late;
  }
  return span;
}

std::int64_t SpanTimer::lists_per_set(const BoundArm& arm) const {
  return path_ == LaunchPath::graph ? sweeps_recorded(arm) : 1;
}

Outcome SpanTimer::sweep(BoundArm& arm) {
  const SpanRequest request{&arm, whole(arm, ring_->sets())};
  if (Outcome outcome = record_all({&request, 1}); !outcome.ok()) return outcome;
  in_queue_ = 0;
  set_ = 0;
  tell(arm, request.launches);
  const Outcome outcome =
      path_ == LaunchPath::graph ? replay_sweeps(request) : enqueue_lists(request, {});
  const Outcome late = device_->synchronize();
  return outcome.ok() ? late : outcome;
}

SpanLength span_length(double us_per_launch, std::int64_t sets, double span_us_min) {
  constexpr double sweep_spans_max = 4;
  const double sweep_us = us_per_launch * static_cast<double>(sets);
  if (sweep_us > sweep_spans_max * span_us_min) {
    return {static_cast<std::int64_t>(std::ceil(span_us_min / us_per_launch)), false};
  }
  return {sets * std::max<std::int64_t>(
                     1, static_cast<std::int64_t>(std::ceil(span_us_min / sweep_us))),
          true};
}

double measure_tick_us(Device& device) try {
  constexpr std::size_t kSpans = 128, kStepBytes = 4 << 10;
  const DeviceMemory memory(device, 2 * kSpans * kStepBytes, Place::low);
  std::vector<double> us;
  for (std::size_t i = 1; i <= kSpans; ++i) {
    SpanTicket span = device.begin_span();
    device.copy_within(memory.pointer() + kSpans * kStepBytes, memory.pointer(), i * kStepBytes);
    device.end_span(span);
    SpanTime time;
    if (!device.read_span(span, &time).ok()) return 0;
    us.push_back(time.us);
  }
  // All are whole ticks: their greatest common divisor, as far as a clock of this kind goes.
  constexpr double kFinestUs = 0.005;
  double tick = 0;
  for (double one : us)
    for (; one > kFinestUs; std::swap(tick, one)) tick = std::fmod(tick, one);
  return tick > 2 * kFinestUs ? tick : 0;
} catch (const std::bad_alloc&) {
  return 0;
}

}  // namespace fusetune
