// The race: warm-up, probe, epochs of interleaved rounds after which arms are dropped, and a
// confirmation of those that are left on epochs of their own. Every sample is kept.

#include "harness/measure/race.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <new>
#include <numeric>
#include <set>

#include "harness/device/device_error.hpp"
#include "harness/measure/race_bench.hpp"
#include "harness/measure/race_field.hpp"
#include "harness/measure/race_rounds.hpp"
#include "harness/stats/standings.hpp"

namespace fusetune {

namespace {

/// Of the budget, for the epochs before the confirmation.
constexpr double kRaceShare = 0.6;
/// An interval that shrinks less than this from look to look will not get narrow.
constexpr double kShrinks = 0.95;

class Race {
 public:
  Race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
       const RaceOptions& options, const SpanAhead& ahead, const DigestRegions& digests)
      : options_(options),
        bench_(device, arms, which, options, ahead, digests, result_),
        rounds_(bench_, options, result_),
        field_(options, result_),
        lengths_(arms.size()) {}

  RaceResult run() {
    bench_.fresh_memory(0);
    for (std::size_t arm = 0; arm < bench_.arm_count(); ++arm)
      bench_.launch_us(static_cast<std::int32_t>(arm), 1);
    bench_.warm_up();
    lap("warm_up");
    probe();
    lap("probe");
    prepare_spans();
    fit_rounds();
    lap("path");
    screen();
    lap("screen");
    race_epochs();
    lap("epochs");
    check_paths();
    lap("check_before");
    confirm();
    lap("confirm");
    check_paths();
    lap("check_after");
    if (result_.samples.empty() && result_.disproved.empty())
      throw ArmFailure{-1, clocks_disagree()};
    flag_frozen_clock();
    return std::move(result_);
  }

 private:
  void lap(const char* phase) {
    const double now_us = bench_.elapsed_us();
    result_.phases_ms[phase] = (now_us - lap_us_) / 1000;
    lap_us_ = now_us;
  }

  /// Tells how far the race is.
  void count() { bench_.count(probed_, static_cast<std::int32_t>(field_.candidates())); }

  double budget_us() const { return 1e6 * options_.budget_s; }
  const RaceRules& rules() const { return bench_.rules(); }

  void probe() {
    std::vector<std::int32_t> order(bench_.arm_count());
    std::iota(order.begin(), order.end(), 0);
    result_.probe_us.assign(order.size(), 0);
    std::map<std::int32_t, double> best_us;  // of each group
    for (const std::int32_t arm : rounds_.shuffled(order)) {
      double& best =
          best_us.try_emplace(field_.group_of(arm), std::numeric_limits<double>::infinity())
              .first->second;
      const double hopeless_us = 2 * options_.probe_cutoff * best;
      double& us = result_.probe_us[static_cast<std::size_t>(arm)];
      us = bench_.estimate(arm, hopeless_us);
      if (us <= hopeless_us) us = bench_.launch_us(arm, bench_.length_of(arm, us).launches);
      best = std::min(best, us);
      ++probed_;
      count();
    }
    field_.enter_probed(result_.probe_us, best_us);
    count();
  }

  /// Path, ring and lengths of spans, by what the probe found.
  void prepare_spans() {
    const auto probed = [this](std::int32_t a, std::int32_t b) {
      return result_.probe_us[static_cast<std::size_t>(a)] <
             result_.probe_us[static_cast<std::size_t>(b)];
    };
    const std::int32_t best =
        *std::min_element(field_.alive().begin(), field_.alive().end(), probed);
    bench_.choose_path({best}, result_.probe_us[static_cast<std::size_t>(best)]);
    bench_.prove_cold(best);
    bench_.shorten_ring(best);
    if (bench_.asynchronous()) bench_.fresh_memory(0);
    for (const std::int32_t arm : field_.alive()) {
      double& us = result_.probe_us[static_cast<std::size_t>(arm)];
      // Launches into a stream hid how short it is.
      if (result_.path == "graph") us = bench_.launch_us(arm, bench_.length_of(arm, us).launches);
      lengths_[static_cast<std::size_t>(arm)] = bench_.length_of(arm, us);
      if (!lengths_[static_cast<std::size_t>(arm)].whole_sweeps) bench_.flag("ring swept in parts");
    }
  }

  /// Where not even two epochs fit, they get fewer rounds.
  void fit_rounds() {
    double round_us = 0;
    for (const std::int32_t arm : field_.alive()) {
      const auto a = static_cast<std::size_t>(arm);
      round_us += (bench_.two_lengths() ? 6 : 2) * result_.probe_us[a] *
                  static_cast<double>(lengths_[a].launches);
    }
    const double rounds = (budget_us() - bench_.elapsed_us()) / (2 * round_us);
    rounds_each_ = std::clamp(rounds < 1e6 ? static_cast<int>(rounds) : rules().rounds, 1,
                              std::max(1, rules().rounds));
    if (rounds_each_ < rules().rounds)
      bench_.flag(fmt::format("budget: {} rounds per epoch", rounds_each_));
  }

  /// Rounds of short spans, after each of which those far behind are dropped.
  void screen() {
    const auto enough = static_cast<std::size_t>(rules().finalists);
    for (int round = 0; round < std::ssize(options_.screen_cuts); ++round) {
      if (enough == 0 || field_.candidates() <= enough) return;
      rounds_.screen(0, round, field_.alive(), lengths_);
      field_.set_epochs(1);
      field_.drop_far(options_.screen_cuts[static_cast<std::size_t>(round)]);
      count();
    }
  }

  void race_epochs() {
    const auto enough = static_cast<std::size_t>(rules().finalists);
    result_.stopped_by = "epochs";
    for (int done = 0; done < std::max(2, rules().looks.back());) {
      if (enough > 0 && field_.candidates() <= enough) return;
      run_epoch();
      ++done;
      if (enough > 0) drop_slower(field_.epochs() - done, done, rules().looks, options_.early_cut);
      if (done >= 2 && done < rules().looks.back() &&
          rounds_.is_spent(enough > 0 ? kRaceShare : 1)) {
        result_.stopped_by = "budget";
        bench_.flag("budget");
        break;
      }
    }
    if (enough > 0) field_.keep_best(enough);
    count();
  }

  /// Times count of work that was done: who is wrong on the path that is timed has none.
  void check_paths() {
    for (const std::int32_t arm : std::vector<std::int32_t>(field_.alive())) {
      const Outcome outcome = bench_.check_path(arm);
      if (!outcome.ok()) field_.disprove(arm, outcome);
    }
  }

  /// The winner of many is lucky as well: its time counts on epochs that did not choose it.
  void confirm() {
    if (rules().finalists == 0 || field_.alive().empty()) return;
    result_.confirmed = true;
    const std::int32_t from = result_.confirmed_from = field_.epochs();
    const auto& looks = rules().confirm_looks;
    const double confidence = 1 - options_.alpha / static_cast<double>(looks.size());
    std::vector<double> widths;
    for (int done = 1;; ++done) {
      run_epoch();
      if (done == looks.back()) {
        result_.stopped_by = "epochs";
        return;
      }
      drop_slower(from, done, looks, options_.far);
      if (done < 2) continue;
      // One epoch has no interval, and the row needs one of the baseline.
      if (!field_.kept_have_two_epochs()) continue;
      const bool spent = rounds_.is_spent(1);
      const bool is_look = std::find(looks.begin(), looks.end(), done) != looks.end();
      if (is_look) {
        const std::string why = stop_reason(from, confidence, widths);
        if (!why.empty()) {
          result_.stopped_by = why;
          return;
        }
      }
      if (spent) {
        result_.stopped_by = "budget";
        bench_.flag("budget");
        return;
      }
    }
  }

  /// "" to go on.
  std::string stop_reason(std::int32_t from, double confidence, std::vector<double>& widths) {
    bool decided = true;
    double widest = 0;
    for (const Standings& group : field_.standings_from(from, confidence, Spread::own)) {
      for (const Standing& standing : group.arms)
        if (standing.arm != group.leader)
          decided = decided && standing.log_ratio.low >
                                   (field_.is_kept(standing.arm) ? 0 : std::log1p(options_.margin));
      widest = std::max(widest, group.widest);
    }
    widths.push_back(widest);
    if (decided) return "decided";
    if (widest <= options_.precision) return "precise";
    if (field_.is_bounded(from, confidence)) return "bounded";
    const std::size_t n = widths.size();
    const bool stuck = n > 2 && widths[n - 1] > kShrinks * widths[n - 2] &&
                       widths[n - 2] > kShrinks * widths[n - 3];
    if (stuck) bench_.flag("noise limited");
    return stuck ? "noise_limited" : "";
  }

  /// Of so many `looks`, each of which may drop somebody.
  void drop_slower(std::int32_t from, int done, const std::vector<int>& looks, double far) {
    field_.drop_slower(from, done, 1 - options_.alpha / static_cast<double>(looks.size() + 1), far);
    count();
  }

  void run_epoch() {
    const std::int32_t epoch = field_.epochs();
    std::set<std::int32_t> far;
    if (rules().finalists > 0) far = field_.far_kept();
    rounds_.run_epoch(epoch, rounds_each_, field_.alive(), far, lengths_);
    field_.set_epochs(epoch + 1);
  }

  /// A clock that counts something else than this work gives one figure for everything.
  void flag_frozen_clock() {
    const auto& samples = result_.samples;
    const bool same = std::all_of(samples.begin(), samples.end(), [&](const Sample& sample) {
      return sample.us == samples.front().us;
    });
    if (same && samples.size() > 4) bench_.flag("all samples are identical");
  }

  const RaceOptions& options_;
  RaceResult result_;
  RaceBench bench_;
  RaceRounds rounds_;
  RaceField field_;
  std::vector<SpanLength> lengths_;
  int rounds_each_ = 1;
  std::int32_t probed_ = 0;
  double lap_us_ = 0;
};

RaceResult failure(std::int32_t arm, Outcome outcome) {
  RaceResult result;
  result.outcome = std::move(outcome);
  result.failed_arm = arm;
  return result;
}

}  // namespace

RaceResult race(Device& device, const std::vector<RunnableVariant>& arms, const Case& which,
                const RaceOptions& options, const SpanAhead& ahead, const DigestRegions& digests) {
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
    return Race(device, arms, which, options, ahead, digests).run();
  } catch (const ArmFailure& failed) {
    RaceResult result = failure(failed.arm, failed.outcome);
    result.unsure = failed.unsure;
    return result;
  } catch (const DeviceError& error) {
    RaceResult result = failure(-1, {error.status(), error.what()});
    result.unsure = true;
    return result;
  } catch (const std::bad_alloc&) {
    return failure(-1, {Status::out_of_memory, "no memory for the argument sets of the race"});
  }
}

}  // namespace fusetune
