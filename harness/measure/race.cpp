// The race: warm-up, probe, then epochs of interleaved rounds. All statistics are elsewhere; here
// every sample is kept.

#include "harness/measure/race.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <random>

#include "harness/measure/ring.hpp"
#include "harness/measure/span.hpp"
#include "harness/stats/stats.hpp"
#include "harness/verify/inputs.hpp"

namespace fusetune {

namespace {

constexpr int kTrendSpans = 8;
constexpr double kTrend = 0.005;
constexpr double kWarmUpCap = 5;
// A clock that was put back goes on by the next span; one that stands still does not.
constexpr int kClockTries = 3;

/// An arm could not be timed: ends the race, as a value at its boundary.
struct ArmFailure {
  std::int32_t arm;
  Outcome outcome;
};

class Race {
 public:
  Race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
       const RaceOptions& options, const SpanAhead& ahead)
      : device_(device),
        which_(which),
        options_(options),
        ahead_(ahead),
        plan_(plan_ring(which, device.properties().cache_bytes, options.cold,
                        options.ring_bytes_max)),
        images_(Inputs(which, options.seed).images(0, Poison::b)),
        random_(options.seed),
        lengths_(arms.size()),
        seen_us_(arms.size()) {
    const Arena prototype(device, which, Place::low, options.seed);
    for (const RunnableVariant& arm : arms) bound_.emplace_back(arm, which, prototype);
  }

  RaceResult run() {
    begin_us_ = device_.stamp_us();
    describe_ring();
    fresh_memory(0);
    for (std::size_t arm = 0; arm < bound_.size(); ++arm) span(static_cast<std::int32_t>(arm), 1);
    warm_up();
    probe();
    fit_rounds();
    race_epochs();
    flag_frozen_clock();
    return std::move(result_);
  }

 private:
  double elapsed_us() const { return device_.stamp_us() - begin_us_; }
  double budget_us() const { return 1e6 * options_.budget_s; }

  void flag(const std::string& text) {
    auto& flags = result_.flags;
    if (std::find(flags.begin(), flags.end(), text) == flags.end()) flags.push_back(text);
  }

  void describe_ring() {
    result_.ring = plan_.sets;
    result_.data = plan_.cold ? "cold" : "hot";
    result_.ring_over_cache = plan_.over_cache;
    if (!plan_.flag.empty()) flag(plan_.flag);
  }

  void fresh_memory(int epoch) {
    if (ahead_) ahead_(-1, 0);
    timer_.reset();
    ring_.reset();  // the old memory goes first: the ring may be all there is
    ring_ = std::make_unique<Ring>(device_, which_, images_, plan_.sets,
                                   options_.seed + 1000003 * static_cast<std::uint64_t>(epoch));
    timer_.emplace(device_, *ring_);
  }

  /// Microseconds of the whole span.
  double span(std::int32_t arm, std::int64_t launches) {
    const auto a = static_cast<std::size_t>(arm);
    if (ahead_) ahead_(arm, seen_us_[a] * static_cast<double>(launches));
    Span span = timer_->run(bound_[a], launches);
    for (int tries = 1; span.no_time && tries < kClockTries; ++tries) {
      flag("the clock was put back");
      span = timer_->run(bound_[a], launches);
    }
    if (!span.outcome.ok()) throw ArmFailure{arm, span.outcome};
    seen_us_[a] = span.us / static_cast<double>(launches);
    return span.us;
  }

  std::vector<std::int32_t> shuffled(std::vector<std::int32_t> arms) {
    for (std::size_t i = arms.size(); i > 1; --i) std::swap(arms[i - 1], arms[random_() % i]);
    return arms;
  }

  /// Launch time by spans that double until they are long enough to trust. Gives up early on an arm
  /// that is past all hope.
  double estimate(std::int32_t arm, double hopeless_us) {
    constexpr std::int64_t launches_max = 1 << 20;
    for (std::int64_t launches = 1;; launches *= 2) {
      const double us = span(arm, launches);
      const double each = us / static_cast<double>(launches);
      const bool hopeless = each > (launches == 1 ? 4 : 1) * hopeless_us;
      if (us >= 0.25 * options_.span_us_min || hopeless || launches >= launches_max) return each;
    }
  }

  void warm_up() {
    const double each = estimate(0, std::numeric_limits<double>::infinity());
    const auto launches = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(std::ceil(options_.span_us_min / each)));
    std::vector<double> spans;
    const double from_us = device_.stamp_us();
    for (;;) {
      spans.push_back(span(0, launches));
      const double spent_ms = (device_.stamp_us() - from_us) / 1000;
      if (spent_ms >= options_.warm_up_ms && settled(spans)) return;
      if (spent_ms >= kWarmUpCap * options_.warm_up_ms) break;
    }
    flag("warm-up unsettled");
  }

  /// No trend over the last spans beyond half a percent or beyond their own noise.
  static bool settled(const std::vector<double>& spans) {
    if (spans.size() < kTrendSpans) return false;
    const std::vector<double> last(spans.end() - kTrendSpans, spans.end());
    std::vector<double> place(last.size());
    std::iota(place.begin(), place.end(), 0.0);
    const double change = theil_sen_slope(place, last) * (kTrendSpans - 1);
    return std::abs(change) <= std::max(kTrend * median(last), mad_sigma(last));
  }

  bool is_kept(std::int32_t arm) const {
    return std::find(options_.keep.begin(), options_.keep.end(), arm) != options_.keep.end();
  }

  std::int32_t group_of(std::int32_t arm) const {
    return options_.groups.empty() ? 0 : options_.groups.at(static_cast<std::size_t>(arm));
  }

  void probe() {
    std::vector<std::int32_t> order(bound_.size());
    std::iota(order.begin(), order.end(), 0);
    result_.probe_us.assign(bound_.size(), 0);
    std::map<std::int32_t, double> best_us;  // of each group
    for (const std::int32_t arm : shuffled(order)) {
      double& best =
          best_us.try_emplace(group_of(arm), std::numeric_limits<double>::infinity()).first->second;
      const double hopeless_us = 2 * options_.probe_cutoff * best;
      double& us = result_.probe_us[static_cast<std::size_t>(arm)];
      us = estimate(arm, hopeless_us);
      if (us <= hopeless_us) {
        const SpanLength length = span_length(us, plan_.sets, options_.span_us_min);
        us = span(arm, length.launches) / static_cast<double>(length.launches);
      }
      best = std::min(best, us);
    }
    for (std::size_t arm = 0; arm < bound_.size(); ++arm) {
      const auto number = static_cast<std::int32_t>(arm);
      const double us = result_.probe_us[arm];
      lengths_[arm] = span_length(us, plan_.sets, options_.span_us_min);
      const bool drop =
          us > options_.probe_cutoff * best_us.at(group_of(number)) && !is_kept(number);
      (drop ? result_.dropped : alive_).push_back(number);
      if (!drop && !lengths_[arm].whole_sweeps) flag("ring swept in parts");
    }
  }

  /// Where not even two epochs fit, they get fewer rounds.
  void fit_rounds() {
    double round_us = 0;
    for (const std::int32_t arm : alive_) {
      const auto a = static_cast<std::size_t>(arm);
      round_us += 2 * result_.probe_us[a] * static_cast<double>(lengths_[a].launches);
    }
    const double rounds = (budget_us() - elapsed_us()) / (2 * round_us);
    rounds_ = std::clamp(rounds < 1e6 ? static_cast<int>(rounds) : options_.rounds, 1,
                         std::max(1, options_.rounds));
    if (rounds_ < options_.rounds) flag(fmt::format("budget: {} rounds per epoch", rounds_));
  }

  void race_epochs() {
    const int epochs = std::max(2, options_.epochs);
    result_.stopped_by = "epochs";
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const double from_us = elapsed_us();
      if (epoch > 0) fresh_memory(epoch);
      // The first sweep after an allocation maps pages and fills translation tables.
      span(alive_.front(), std::min<std::int64_t>(plan_.sets, length(alive_.front())));
      for (int round = 0; round < rounds_; ++round) race_round(epoch, round);
      const double now_us = elapsed_us();
      if (epoch >= 1 && epoch + 1 < epochs && now_us + (now_us - from_us) > budget_us()) {
        result_.stopped_by = "budget";
        flag("budget");
        return;
      }
    }
  }

  std::int64_t length(std::int32_t arm) const {
    return lengths_[static_cast<std::size_t>(arm)].launches;
  }

  /// There and back: a linear drift adds the same to every arm.
  void race_round(int epoch, int round) {
    std::vector<std::int32_t> order = shuffled(alive_);
    for (int pass = 0; pass < 2; ++pass) {
      for (const std::int32_t arm : order) {
        const std::int64_t launches = length(arm);
        const double us = span(arm, launches) / static_cast<double>(launches);
        result_.samples.push_back({arm, epoch, round, launches, us});
      }
      std::reverse(order.begin(), order.end());
    }
  }

  /// A clock that counts something else than this work gives one figure for everything.
  void flag_frozen_clock() {
    const auto& samples = result_.samples;
    const bool same = std::all_of(samples.begin(), samples.end(), [&](const Sample& sample) {
      return sample.us == samples.front().us;
    });
    if (same && samples.size() > 4) flag("all samples are identical");
  }

  Device& device_;
  const Case& which_;
  const RaceOptions& options_;
  const SpanAhead& ahead_;
  RingPlan plan_;
  TensorImages images_;
  std::mt19937_64 random_;
  std::vector<BoundArm> bound_;
  std::vector<SpanLength> lengths_;
  std::vector<double> seen_us_;  ///< per launch list, of each arm's last span; 0 for none
  std::vector<std::int32_t> alive_;
  int rounds_ = 1;
  std::unique_ptr<Ring> ring_;
  std::optional<SpanTimer> timer_;
  double begin_us_ = 0;
  RaceResult result_;
};

RaceResult failure(std::int32_t arm, Outcome outcome) {
  RaceResult result;
  result.outcome = std::move(outcome);
  result.failed_arm = arm;
  return result;
}

}  // namespace

RaceResult race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                const RaceOptions& options, const SpanAhead& ahead) {
  if (arms.empty()) return failure(-1, {Status::skipped, "no arm to time"});
  for (std::size_t arm = 0; arm < arms.size(); ++arm) {
    if (arms[arm].launches.empty()) {
      return failure(static_cast<std::int32_t>(arm),
                     {Status::skipped, fmt::format("arm {} launches nothing on {}: it has no time",
                                                   arm, which.key())});
    }
  }
  try {
    device.schedule(0);
    return Race(device, arms, which, options, ahead).run();
  } catch (const ArmFailure& failed) {
    return failure(failed.arm, failed.outcome);
  } catch (const std::bad_alloc&) {
    return failure(-1, {Status::out_of_memory, "no memory for the argument sets of the race"});
  }
}

}  // namespace fusetune
