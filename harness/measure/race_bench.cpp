#include "harness/measure/race_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>

#include "harness/measure/ring_check.hpp"
#include "harness/stats/stats.hpp"
#include "harness/verify/inputs.hpp"

namespace fusetune {

namespace {

constexpr std::size_t kTrendSpans = 8;
constexpr double kTrend = 0.005;
constexpr double kClockSettled = 0.02;   // of the core clock, below the most that was seen
constexpr std::size_t kUsualVisits = 3;  // before an arm has a usual clock
// A clock that was put back goes on by the next span; one that stands still does not.
constexpr int kClockTries = 3;

/// No trend over the last spans beyond half a percent or beyond their own noise.
bool is_settled(const std::vector<double>& spans) {
  if (spans.size() < kTrendSpans) return false;
  const std::vector<double> last(spans.end() - kTrendSpans, spans.end());
  std::vector<double> place(last.size());
  std::iota(place.begin(), place.end(), 0.0);
  const double change = theil_sen_slope(place, last) * (kTrendSpans - 1);
  return std::abs(change) <= std::max(kTrend * median(last), mad_sigma(last));
}

std::int64_t cache_of(const Device& device, const RaceOptions& options) {
  return options.cache_bytes > 0 ? options.cache_bytes : device.properties().cache_bytes;
}

std::int64_t ring_bytes_of(Device& device, const RaceOptions& options) {
  const std::optional<std::int64_t> free = device.free_bytes();
  if (!free) return options.ring_bytes_max;
  return static_cast<std::int64_t>(options.memory_share * static_cast<double>(*free));
}

}  // namespace

RaceBench::RaceBench(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                     const RaceOptions& options, const SpanAhead& ahead,
                     const DigestRegions& digests, RaceResult& result)
    : device_(device),
      which_(which),
      options_(options),
      ahead_(ahead),
      digests_(digests),
      result_(result),
      asynchronous_(device.queue().asynchronous),
      rules_(asynchronous_ ? options.queued : options.immediate),
      ring_bytes_max_(ring_bytes_of(device, options)),
      images_(Inputs(which, options.seed).images(0, Poison::b)),
      span_us_min_(rules_.span_us_min),
      begin_us_(device.host_us()),
      seen_us_(arms.size()),
      core_mhz_(arms.size()) {
  plan_ = plan_ring(which, cache_of(device, options), options.cold, ring_bytes_max_);
  const Arena prototype(device, which, Place::low, options.seed);
  for (const RunnableVariant& arm : arms) bound_.emplace_back(arm, which, prototype);
  if (!plan_.flag.empty()) flag(plan_.flag);
  if (!asynchronous_) return;
  span_us_min_ = std::max(span_us_min_, rules_.ticks_min * measure_tick_us(device));
  try {
    thermometer_.emplace(device, cache_of(device, options));
  } catch (const std::bad_alloc&) {
    flag("no memory for the reference copy");
  }
}

void RaceBench::prepare() const {
  if (ahead_) ahead_({-1, 0, probed_, left_});
}

void RaceBench::rest(int retry) {
  prepare();
  device_.rest(1000 * options_.rest_ms * static_cast<double>(1 << retry));
}

void RaceBench::flag(const std::string& text) {
  auto& flags = result_.flags;
  if (std::find(flags.begin(), flags.end(), text) == flags.end()) flags.push_back(text);
}

void RaceBench::open_ring(int epoch) {
  ring_ = std::make_unique<Ring>(device_, which_, images_, plan_.sets,
                                 options_.seed + 1000003 * static_cast<std::uint64_t>(epoch));
}

void RaceBench::open_timer() {
  CacheFlush flush;
  if (short_ring_) flush = {[this] { thermometer_->copy(); }, copy_us_};
  timer_.emplace(
      device_, *ring_, path_,
      [this](const BoundArm& arm, std::int64_t launches) {
        if (!ahead_) return;
        const std::int32_t number = number_of(arm);
        const double launch_us = seen_us_[static_cast<std::size_t>(number)];
        ahead_({number, launch_us * static_cast<double>(launches), probed_, left_});
      },
      std::move(flush));
}

std::int32_t RaceBench::number_of(const BoundArm& arm) const {
  return static_cast<std::int32_t>(&arm - bound_.data());
}

void RaceBench::fresh_memory(int epoch) {
  prepare();
  timer_.reset();
  ring_.reset();  // the old memory goes first: the ring may be all there is
  for (;;) {
    try {
      open_ring(epoch);
      break;
    } catch (const std::bad_alloc&) {
      if (!asynchronous_ || plan_.sets == 1) throw;
    }
    // Others use the device as well; what was free is not.
    const std::int64_t sets = plan_.sets / 2;
    plan_.over_cache *= static_cast<double>(sets) / static_cast<double>(plan_.sets);
    plan_.sets = sets;
    plan_.cold = plan_.cold && plan_.over_cache > 1;
    flag(fmt::format("out of memory: the ring shrank to {} sets", plan_.sets));
  }
  open_timer();
  result_.ring = plan_.sets;
  result_.data = plan_.cold ? "cold" : "hot";
  result_.ring_over_cache = plan_.over_cache;
}

Span RaceBench::span(std::int32_t arm, std::int64_t launches) {
  if (path_ == LaunchPath::graph) record({arm});
  BoundArm& bound = bound_[static_cast<std::size_t>(arm)];
  Span span = timer_->run(bound, launches);
  for (int tries = 1; span.no_time && tries < kClockTries; ++tries) {
    flag("the clock was put back");
    span = timer_->run(bound, launches);
  }
  if (span.no_time)
    span.outcome = {Status::launch_error,
                    fmt::format("the clock says {} us for {} launches", span.us, launches)};
  if (!span.outcome.ok()) throw ArmFailure{arm, span.outcome, span.unsure};
  saw(arm, span);
  return span;
}

void RaceBench::saw(std::int32_t arm, const Span& span) {
  seen_us_[static_cast<std::size_t>(arm)] = span.us / static_cast<double>(span.launches);
}

std::vector<Span> RaceBench::spans(const std::vector<SpanRequest>& requests) {
  if (asynchronous_ && !ring_->restores() && !options_.one_by_one) return timer_->run(requests);
  std::vector<Span> spans;
  for (const SpanRequest& request : requests)
    spans.push_back(span(number_of(*request.arm), request.launches));
  return spans;
}

double RaceBench::launch_us(std::int32_t arm, std::int64_t launches) {
  for (int retry = 0;; ++retry) {
    const Span done = span(arm, launches);
    if (clocks_agree(done)) return done.us / static_cast<double>(done.launches);
    ++result_.rejected_clocks;
    if (retry == options_.retries_max) throw ArmFailure{arm, clocks_disagree(&done)};
  }
}

SpanLength RaceBench::length_of(std::int32_t arm, double us) const {
  if (short_ring_) return {plan_.sets / 2, true};
  SpanLength length = span_length(us, plan_.sets, span_us_min_);
  length.launches = timer_->whole(bound_[static_cast<std::size_t>(arm)], length.launches);
  return length;
}

double RaceBench::estimate(std::int32_t arm, double hopeless_us) {
  constexpr std::int64_t launches_max = 1 << 20;
  for (std::int64_t launches = 1;; launches *= 2) {
    const double us = span(arm, launches).us;
    const double each = us / static_cast<double>(launches);
    const bool hopeless = each > (launches == 1 ? 4 : 1) * hopeless_us;
    if (us >= 0.25 * span_us_min_ || hopeless || launches >= launches_max) return each;
  }
}

void RaceBench::warm_up() {
  const double each = estimate(0, std::numeric_limits<double>::infinity());
  const auto launches =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(span_us_min_ / each)));
  std::vector<double> spans;
  double most_mhz = 0;
  const double from_us = device_.host_us();
  for (;;) {
    const Span one = span(0, launches);
    spans.push_back(one.us);
    most_mhz = std::max(most_mhz, one.core_mhz);
    warm_mhz_ = one.core_mhz;
    const bool clock_settled = one.core_mhz >= (1 - kClockSettled) * most_mhz;
    const double spent_ms = (device_.host_us() - from_us) / 1000;
    if (spent_ms >= rules_.warm_up_ms && clock_settled && is_settled(spans)) break;
    if (spent_ms >= rules_.warm_up_ms_max) {
      flag("warm-up unsettled");
      break;
    }
  }
  if (thermometer_) {
    prepare();
    readings_.push_back(thermometer_->read_us());
  }
  keep_reference();
}

Outcome clocks_disagree(const Span* span) {
  std::string text =
      "the device's clock and this machine's disagree about its spans again and again";
  if (span != nullptr) text += fmt::format(" ({:.1f} us and {:.1f} us)", span->us, span->host_us);
  return {Status::launch_error, text + ": it may work outside of its queue"};
}

bool RaceBench::clocks_agree(const Span& span) const {
  if (!asynchronous_) return true;
  if (!(span.us > 0 && std::isfinite(span.us))) return false;
  return span.host_us == 0 ||
         (span.host_us >= options_.host_ratio_min * span.us - options_.host_slack_us &&
          span.host_us <= options_.host_ratio_max * span.us + options_.host_slack_us);
}

Visit::Verdict RaceBench::verdict_of(std::int32_t arm, const Span& span) {
  if (!clocks_agree(span)) return Visit::Verdict::clocks;
  std::vector<double>& usual = core_mhz_[static_cast<std::size_t>(arm)];
  const double usual_mhz = usual.size() < kUsualVisits ? warm_mhz_ : median(usual);
  const bool slow = span.core_mhz > 0 && span.core_mhz < options_.core_clock_min * usual_mhz;
  if (span.core_mhz > 0) usual.push_back(span.core_mhz);
  return slow ? Visit::Verdict::throttle : Visit::Verdict::good;
}

std::vector<Visit> RaceBench::there_and_back(std::vector<std::int32_t> order,
                                             const std::vector<SpanLength>& lengths, bool two) {
  std::vector<Visit> visits;
  std::vector<SpanRequest> requests;
  for (int pass = 0; pass < 2; ++pass) {
    for (const std::int32_t arm : order) {
      const auto a = static_cast<std::size_t>(arm);
      visits.push_back({arm, lengths[a].launches});
      // The shorter one first, and on the way back last.
      const std::int64_t first = two && pass == 1 ? 2 : 1;
      requests.push_back({&bound_[a], first * lengths[a].launches});
      if (two) requests.push_back({&bound_[a], (3 - first) * lengths[a].launches});
    }
    std::reverse(order.begin(), order.end());
  }
  const std::vector<Span> timed = spans(requests);
  const std::size_t each = two ? 2 : 1;
  for (std::size_t i = 0; i < timed.size(); ++i) {
    Visit& visit = visits[i / each];
    const Span& one = timed[i];
    if (!one.outcome.ok()) throw ArmFailure{visit.arm, one.outcome, one.unsure};
    if (one.us > 0) saw(visit.arm, one);
    (requests[i].launches == visit.launches ? visit.short_us : visit.long_us) = one.us;
    visit.core_mhz = one.core_mhz;
    const Visit::Verdict verdict = verdict_of(visit.arm, one);
    visit.believed |= verdict != Visit::Verdict::clocks;
    if (visit.verdict == Visit::Verdict::good) visit.verdict = verdict;
  }
  return visits;
}

Outcome RaceBench::check_path(std::int32_t arm) {
  if (!asynchronous_ || options_.check_lists == 0) return {};
  prepare();
  const RingCheck check = check_ring(
      device_, *ring_, *timer_, bound_[static_cast<std::size_t>(arm)],
      {options_.check_lists, options_.check_bytes}, [this] { prepare(); }, digests_);
  if (check.launch_failed) throw ArmFailure{arm, check.outcome};
  result_.checked_lists += check.lists;
  if (check.lists == 0 && check.outcome.ok())
    flag("results not compared on the path that is timed");
  return check.outcome;
}

double RaceBench::reference_drift() {
  if (!thermometer_) return 0;
  prepare();
  readings_.push_back(thermometer_->read_us());
  if (result_.reference_us.empty()) return 0;
  return std::abs(readings_.back() / median(result_.reference_us) - 1);
}

void RaceBench::keep_reference() {
  if (!readings_.empty()) result_.reference_us.push_back(median(readings_));
  readings_.clear();
}

}  // namespace fusetune
